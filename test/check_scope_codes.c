/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Scopes as codes: none, one, groups and countries, all there are.
 */
#include "forwarder/explain/scope_codes.h"

#include <check.h>
#include <string.h>

#include "test/suite.h"

static const struct {
    const char *label, *countries; /* two letters each */
    bool eu, eea, unknown;
    const char *expected;
    const char *subdivisions; /* parted by blanks; NULL: none */
} SCOPES[] = {
    {"nothing", "", false, false, false, "", NULL},
    {"one", "IT", false, false, false, "IT", NULL},
    {"the first and the last", "ZWAD", false, false, false, "AD, ZW", NULL},
    {"groups come first", "AD", true, true, false, "EU, EEA, AD", NULL},
    {"with unknown countries", "IT", false, false, true, "IT, unknown countries", NULL},
    {"only unknown countries", "", false, false, true, "unknown countries", NULL},
    {"a subdivision", "", false, false, false, "US-CA", "US-CA"},
    {"subdivisions come last", "IT", true, false, true, "EU, IT, AT-9, US-CA, unknown countries",
     "AT-9 US-CA"},
};

START_TEST(codes_are_listed_in_order)
{
    for (size_t i = 0; i < ROWS(SCOPES); i++) {
        struct order_scope scope = {.unknown = SCOPES[i].unknown};
        scope.groups[COUNTRY_GROUP_EU] = SCOPES[i].eu;
        scope.groups[COUNTRY_GROUP_EEA] = SCOPES[i].eea;
        for (const char *code = SCOPES[i].countries; *code != '\0'; code += 2) {
            struct country country;
            ck_assert(country_parse(code, 2, &country));
            country_set_add(&scope.countries, country);
        }
        struct subdivision subdivisions[4];
        scope.subdivisions = subdivisions;
        for (const char *code = SCOPES[i].subdivisions; code != NULL && *code != '\0';) {
            size_t len = strcspn(code, " ");
            ck_assert(subdivision_parse(code, len, &subdivisions[scope.subdivision_count++]));
            code += len + strspn(code + len, " ");
        }
        char text[64] = "";
        FILE *out = fmemopen(text, sizeof text, "w");
        scope_codes_print(&scope, out);
        ck_assert_int_eq(fclose(out), 0);
        ck_assert_msg(strcmp(text, SCOPES[i].expected) == 0, "%s: %s", SCOPES[i].label, text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scope_codes");
    TCase *tcase = tcase_create("scope_codes");
    tcase_add_test(tcase, codes_are_listed_in_order);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
