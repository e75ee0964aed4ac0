/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Every pair of letters against the list of ISO 3166-1, and sets of countries.
 */
#include "geo/country.h"

#include <check.h>
#include <string.h>

#include "test/suite.h"

/* ISO 3166-1 alpha-2, officially assigned, as published in 2025: 249 codes, and XK. */
static const char ASSIGNED[] =
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR "
    "BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ "
    "EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW "
    "GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY "
    "KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV "
    "MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY "
    "QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG "
    "TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA "
    "ZM ZW";

START_TEST(knows_every_pair_of_letters)
{
    unsigned known = 0;
    for (unsigned index = 0; index < COUNTRY_INDEX_UNKNOWN; index++) {
        const char code[3] = {(char)('A' + index / 26), (char)('A' + index % 26), '\0'};
        bool assigned = strstr(ASSIGNED, code) != NULL;
        bool read_as_other = strcmp(code, "UK") == 0;
        struct country country;
        ck_assert_msg(country_parse(code, 2, &country) == (assigned || read_as_other), "%s", code);
        ck_assert_msg(country_known(country) == (assigned || read_as_other), "%s", code);
        struct country back = country_of_index(index);
        ck_assert_msg(country_known(back) == assigned, "%s", code);
        if (assigned) {
            known++;
            ck_assert_msg(memcmp(country.letter, code, 2) == 0, "%s", code);
            ck_assert_uint_eq(country_index(country), index);
            ck_assert(country_equal(country, back));
        }
    }
    ck_assert_uint_eq(known, 250);
}
END_TEST

static const struct {
    const char *label, *text;
    size_t len;
} REFUSED[] = {
    {"empty", "", 0},           {"one letter", "I", 1},        {"three letters", "ITA", 3},
    {"small letters", "it", 2}, {"mixed letters", "It", 2},    {"a digit", "A1", 2},
    {"a digit first", "1A", 2}, {"satellite", "A2", 2},        {"question marks", "??", 2},
    {"NUL behind", "I\0", 2},   {"NULs", "\0\0", 2},           {"behind Z", "Z[", 2},
    {"before A", "@A", 2},      {"high bytes", "\xc9\xd4", 2}, {"a group", "EU", 2},
    {"a region", "AP", 2},      {"dissolved", "AN", 2},        {"dissolved, CS", "CS", 2},
    {"user-assigned", "ZZ", 2}, {"with space", "IT ", 3},
};

START_TEST(refuses_what_is_no_country)
{
    for (size_t i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++) {
        struct country country = {{'I', 'T'}};
        ck_assert_msg(!country_parse(REFUSED[i].text, REFUSED[i].len, &country), "%s",
                      REFUSED[i].label);
        ck_assert_msg(!country_known(country), "%s", REFUSED[i].label);
    }
}
END_TEST

START_TEST(the_unknown_country)
{
    ck_assert(!country_known(COUNTRY_UNKNOWN));
    ck_assert_uint_eq(country_index(COUNTRY_UNKNOWN), COUNTRY_INDEX_UNKNOWN);
    ck_assert(!country_known(country_of_index(COUNTRY_INDEX_UNKNOWN)));
    ck_assert(!country_known(country_of_index(UINT32_MAX)));
    struct country uk, gb;
    ck_assert(country_parse("UK", 2, &uk) && country_parse("GB", 2, &gb));
    ck_assert(country_equal(uk, gb));
    ck_assert(!country_equal(uk, COUNTRY_UNKNOWN));
}
END_TEST

START_TEST(sets_hold_what_was_added)
{
    for (unsigned added = 0; added < COUNTRY_INDEXES; added++) {
        struct country one = country_of_index(added);
        struct country_set set = {0};
        country_set_add(&set, one);
        for (unsigned index = 0; index < COUNTRY_INDEXES; index++) {
            struct country other = country_of_index(index);
            if (country_set_has(&set, other) != country_equal(one, other)) {
                ck_abort_msg("%u added, %u asked", added, index);
            }
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("country");
    TCase *tests = tcase_create("country");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, knows_every_pair_of_letters);
    tcase_add_test(tests, refuses_what_is_no_country);
    tcase_add_test(tests, the_unknown_country);
    tcase_add_test(tests, sets_hold_what_was_added);
    return suite_run(suite);
}
