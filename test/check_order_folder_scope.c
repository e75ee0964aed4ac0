/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Names of folders as places, and which scopes bind the clients there.
 */
#include "policy/order_folder_scope.h"

#include <check.h>
#include <string.h>

#include "test/suite.h"

#define COUNTRY                                                                                 \
    "expected a country of ISO 3166-1 in capitals, such as IT, or EU or EEA, or a subdivision " \
    "of ISO 3166-2, such as US-CA"

static const struct {
    const char *name;
    const char *expected; /* as it is written back, or the sentence */
    bool known;
} NAMES[] = {
    {"IT", "IT", true},
    {"XK", "XK", true},
    {"UK", "GB", true},
    {"EU", "EU", true},
    {"EEA", "EEA", true},
    {"US-CA", "US-CA", true},
    {"GB-ENG", "GB-ENG", true},
    {"UK-ENG", "GB-ENG", true},
    {"AT-9", "AT-9", true},
    {"FR-2A", "FR-2A", true},
    {"it", "a country is written in capitals, such as IT", false},
    {"eea", "a country is written in capitals, such as IT", false},
    {"ZZ", COUNTRY, false},
    {"A1", COUNTRY, false},
    {"ITA", COUNTRY, false},
    {"lists", COUNTRY, false},
    {"XX-CA", COUNTRY, false},
    {"EU-CA", COUNTRY, false},
    {"US-", COUNTRY, false},
    {"US-ca", COUNTRY, false},
    {"US-CALI", COUNTRY, false},
    {"US_CA", COUNTRY, false},
    {"USA-CA", COUNTRY, false},
    {"", COUNTRY, false},
};

START_TEST(reads_and_writes_names)
{
    struct order_folder_scope scope;
    char why[WHY_MAX] = "", text[ORDER_FOLDER_SCOPE_MAX];
    bool known = order_folder_scope_parse(NAMES[_i].name, &scope, why);
    const char *said = known ? order_folder_scope_format(&scope, text) : why;
    ck_assert_msg(known == NAMES[_i].known, "%s", NAMES[_i].name);
    ck_assert_msg(strcmp(said, NAMES[_i].expected) == 0, "%s: %s", NAMES[_i].name, said);
    /* Who asks for a country alone must not take a part of it for the whole. */
    ck_assert(!subdivision_known(&scope.subdivision) || !country_known(scope.country));
}
END_TEST

static struct order_folder_scope scope_of(const char *name)
{
    struct order_folder_scope scope;
    char why[WHY_MAX];
    ck_assert_msg(order_folder_scope_parse(name, &scope, why), "%s", name);
    return scope;
}

START_TEST(tells_folders_apart)
{
    static const char *const names[] = {"IT", "US", "US-CA", "US-C", "GB-CA", "EU", "EEA"};
    for (size_t i = 0; i < ROWS(names); i++) {
        for (size_t j = 0; j < ROWS(names); j++) {
            struct order_folder_scope a = scope_of(names[i]), b = scope_of(names[j]);
            ck_assert_msg(order_folder_scope_equal(&a, &b) == (i == j), "%s, %s", names[i],
                          names[j]);
        }
    }
}
END_TEST

/* The scope of the orders below: EU, CH and US-CA. */
static const struct {
    const char *folder;
    bool held, touched;
} FOLDERS[] = {
    {"CH", true, true},  {"CH-ZH", true, true},   {"IT", true, true},      {"IT-MI", true, true},
    {"EU", true, true},  {"EEA", false, false},   {"NO", false, false},    {"US-CA", true, true},
    {"US", false, true}, {"US-NY", false, false}, {"GB-CA", false, false}, {"GB", false, false},
};

START_TEST(knows_who_is_bound)
{
    struct subdivision california;
    struct country switzerland;
    struct order_scope scope = {.subdivisions = &california, .subdivision_count = 1};
    ck_assert(subdivision_parse("US-CA", 5, &california));
    ck_assert(country_parse("CH", 2, &switzerland));
    country_set_add(&scope.countries, switzerland);
    scope.groups[COUNTRY_GROUP_EU] = true;
    struct order_folder_scope folder = scope_of(FOLDERS[_i].folder);
    const int64_t now = 1767225600; /* 2026 */
    ck_assert_msg(order_folder_scope_held(&folder, &scope, now) == FOLDERS[_i].held, "%s",
                  FOLDERS[_i].folder);
    ck_assert_msg(order_folder_scope_touched(&folder, &scope, now) == FOLDERS[_i].touched, "%s",
                  FOLDERS[_i].folder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order_folder_scope");
    TCase *tcase = tcase_create("order_folder_scope");
    tcase_add_loop_test(tcase, reads_and_writes_names, 0, ROWS(NAMES));
    tcase_add_test(tcase, tells_folders_apart);
    tcase_add_loop_test(tcase, knows_who_is_bound, 0, ROWS(FOLDERS));
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
