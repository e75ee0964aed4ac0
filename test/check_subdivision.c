/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Codes of subdivisions: what is one, and who lies in it.
 */
#include "geo/subdivision.h"

#include <check.h>
#include <string.h>

#include "test/suite.h"

static const struct {
    const char *country, *text;
    const char *expected; /* NULL: refused */
} WITHIN[] = {
    {"US", "CA", "US-CA"},      {"US", "US-CA", "US-CA"}, {"GB", "ENG", "GB-ENG"},
    {"GB", "UK-ENG", "GB-ENG"}, {"AT", "9", "AT-9"},      {"FR", "2A", "FR-2A"},
    {"US", "", NULL},           {"US", "CALI", NULL},     {"US", "ca", NULL},
    {"US", "FR-75", NULL},      {"US", "US-", NULL},      {"US", "US-CALI", NULL},
    {"", "CA", NULL},           {"", "US-CA", NULL},      {"US", "C A", NULL},
};

START_TEST(reads_codes_of_a_country)
{
    struct country country = COUNTRY_UNKNOWN;
    struct subdivision part;
    char text[SUBDIVISION_TEXT_MAX];
    country_parse(WITHIN[_i].country, strlen(WITHIN[_i].country), &country);
    bool read = subdivision_parse_within(country, WITHIN[_i].text, strlen(WITHIN[_i].text), &part);
    ck_assert_msg(read == (WITHIN[_i].expected != NULL), "%s", WITHIN[_i].text);
    ck_assert_int_eq(subdivision_known(&part), read);
    if (read) {
        ck_assert_str_eq(subdivision_format(&part, text), WITHIN[_i].expected);
    } else {
        ck_assert(!country_known(part.country));
    }
}
END_TEST

START_TEST(sorts_like_texts)
{
    static const char *const texts[] = {"AT-9", "GB-ENG", "US-C", "US-CA", "US-CAL", "US-NY"};
    for (size_t i = 0; i < ROWS(texts); i++) {
        for (size_t j = 0; j < ROWS(texts); j++) {
            struct subdivision a, b;
            ck_assert(subdivision_parse(texts[i], strlen(texts[i]), &a));
            ck_assert(subdivision_parse(texts[j], strlen(texts[j]), &b));
            int order = subdivision_compare(&a, &b);
            ck_assert_msg((order > 0) - (order < 0) == (i > j) - (i < j), "%s, %s", texts[i],
                          texts[j]);
        }
    }
}
END_TEST

static const struct {
    const char *asked, *country, *larger, *smaller;
    bool holds;
} CLIENTS[] = {
    {"US-CA", "US", "CA", "", true},      {"GB-WSX", "GB", "ENG", "WSX", true},
    {"GB-ENG", "GB", "ENG", "WSX", true}, {"US-CA", "US", "", "", false},
    {"US-CA", "US", "NY", "", false},     {"US-C", "US", "CA", "", false},
    {"US-CA", "US", "C", "", false},      {"US-CA", "CO", "CA", "", false},
    {"US-CA", "", "CA", "", false},
};

START_TEST(knows_who_lies_in_it)
{
    struct subdivision asked, part;
    struct country country = COUNTRY_UNKNOWN;
    struct subdivisions within = SUBDIVISIONS_UNKNOWN;
    const char *const codes[] = {CLIENTS[_i].larger, CLIENTS[_i].smaller};
    struct country anywhere = {{'U', 'S'}};
    country_parse(CLIENTS[_i].country, strlen(CLIENTS[_i].country), &country);
    ck_assert(subdivision_parse(CLIENTS[_i].asked, strlen(CLIENTS[_i].asked), &asked));
    for (size_t i = 0; i < ROWS(codes); i++) {
        if (subdivision_parse_within(anywhere, codes[i], strlen(codes[i]), &part)) {
            subdivisions_add(&within, &part);
        }
    }
    ck_assert_int_eq(subdivision_holds(&asked, country, &within), CLIENTS[_i].holds);
}
END_TEST

/* What has no country and no code holds nobody, least of all those of whom nothing is known. */
START_TEST(none_holds_nobody)
{
    const struct subdivision none = {.country = COUNTRY_UNKNOWN};
    struct country countries[] = {COUNTRY_UNKNOWN, {{'U', 'S'}}};
    ck_assert(!subdivision_holds(&none, countries[0], &SUBDIVISIONS_UNKNOWN));
    ck_assert(!subdivision_holds(&none, countries[1], &SUBDIVISIONS_UNKNOWN));
}
END_TEST

START_TEST(levels_are_few)
{
    struct country country = {{'G', 'B'}};
    struct subdivisions within = SUBDIVISIONS_UNKNOWN;
    static const char *const codes[] = {"ENG", "WSX", "ABC"};
    for (size_t i = 0; i < ROWS(codes); i++) {
        struct subdivision part;
        ck_assert(subdivision_parse_within(country, codes[i], 3, &part));
        subdivisions_add(&within, &part);
    }
    ck_assert_mem_eq(within.level, "ENGWSX", sizeof within.level);
    struct subdivision smaller = subdivisions_at(&within, country, 1);
    char text[SUBDIVISION_TEXT_MAX];
    ck_assert_str_eq(subdivision_format(&smaller, text), "GB-WSX");
}
END_TEST

static const struct {
    const char *a, *b, *common; /* both levels, three octets each */
} PAIRS[] = {
    {"ENGWSX", "ENGWSX", "ENGWSX"},
    {"ENGWSX", "ENGKEN", "ENG\0\0\0"},
    {"ENGWSX", "WSX\0\0\0", "WSX\0\0\0"},
    {"ENG\0\0\0", "SCT\0\0\0", "\0\0\0\0\0\0"},
    {"ENG\0\0\0", "\0\0\0\0\0\0", "\0\0\0\0\0\0"},
    {"\0\0\0\0\0\0", "ENGWSX", "\0\0\0\0\0\0"},
};

START_TEST(two_have_parts_in_common)
{
    struct subdivisions a, b;
    memcpy(&a, PAIRS[_i].a, sizeof a);
    memcpy(&b, PAIRS[_i].b, sizeof b);
    struct subdivisions common = subdivisions_common(&a, &b);
    ck_assert_mem_eq(&common, PAIRS[_i].common, sizeof common);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("subdivision");
    TCase *tcase = tcase_create("subdivision");
    tcase_add_loop_test(tcase, reads_codes_of_a_country, 0, ROWS(WITHIN));
    tcase_add_test(tcase, sorts_like_texts);
    tcase_add_loop_test(tcase, knows_who_lies_in_it, 0, ROWS(CLIENTS));
    tcase_add_test(tcase, none_holds_nobody);
    tcase_add_test(tcase, levels_are_few);
    tcase_add_loop_test(tcase, two_have_parts_in_common, 0, ROWS(PAIRS));
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
