/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who is a member on which day.
 */
#include "geo/country_group.h"

#include <check.h>
#include <string.h>
#include <time.h>

#include "test/suite.h"

static struct country country_of(const char *code)
{
    struct country country;
    ck_assert_msg(country_parse(code, 2, &country), "%s", code);
    return country;
}

/* The instant of an RFC 3339 text in UTC. */
static int64_t instant(const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    ck_assert_msg(end != NULL && *end == '\0', "%s", text);
    return timegm(&tm);
}

static const struct {
    const char *code;
    const char *when;
    bool eu, eea;
} MEMBERS[] = {
    {"FR", "1957-12-31T23:59:59Z", false, false}, {"FR", "1958-01-01T00:00:00Z", true, true},
    {"DK", "1972-12-31T23:59:59Z", false, false}, {"DK", "1973-01-01T00:00:00Z", true, true},
    {"GR", "1980-12-31T23:59:59Z", false, false}, {"GR", "1981-01-01T00:00:00Z", true, true},
    {"ES", "1985-12-31T23:59:59Z", false, false}, {"ES", "1986-01-01T00:00:00Z", true, true},
    {"SE", "1994-12-31T23:59:59Z", false, false}, {"SE", "1995-01-01T00:00:00Z", true, true},
    {"PL", "2004-04-30T23:59:59Z", false, false}, {"PL", "2004-05-01T00:00:00Z", true, true},
    {"RO", "2006-12-31T23:59:59Z", false, false}, {"RO", "2007-01-01T00:00:00Z", true, true},
    {"HR", "2013-06-30T23:59:59Z", false, false}, {"HR", "2013-07-01T00:00:00Z", true, true},
    {"YT", "2013-12-31T23:59:59Z", false, false}, {"YT", "2014-01-01T00:00:00Z", true, true},
    {"GB", "1972-12-31T23:59:59Z", false, false}, {"GB", "2020-01-31T22:59:59Z", true, true},
    {"GB", "2020-01-31T23:00:00Z", false, false}, {"NO", "1993-12-31T23:59:59Z", false, false},
    {"NO", "1994-01-01T00:00:00Z", false, true},  {"LI", "1995-04-30T23:59:59Z", false, false},
    {"LI", "1995-05-01T00:00:00Z", false, true},  {"IS", "2026-01-01T00:00:00Z", false, true},
    {"CH", "2026-01-01T00:00:00Z", false, false}, {"TR", "2026-01-01T00:00:00Z", false, false},
    {"MC", "2026-01-01T00:00:00Z", false, false}, {"SM", "2026-01-01T00:00:00Z", false, false},
    {"GL", "2026-01-01T00:00:00Z", false, false}, {"AX", "2026-01-01T00:00:00Z", true, true},
    {"RE", "2026-01-01T00:00:00Z", true, true},   {"MF", "2026-01-01T00:00:00Z", true, true},
    {"BL", "2026-01-01T00:00:00Z", false, false}, {"IT", "9999-12-31T23:59:59Z", true, true},
};

START_TEST(membership_is_dated)
{
    for (size_t i = 0; i < sizeof MEMBERS / sizeof MEMBERS[0]; i++) {
        struct country country = country_of(MEMBERS[i].code);
        int64_t now = instant(MEMBERS[i].when);
        ck_assert_msg(country_group_has(COUNTRY_GROUP_EU, country, now) == MEMBERS[i].eu,
                      "%s in the EU, %s", MEMBERS[i].code, MEMBERS[i].when);
        ck_assert_msg(country_group_has(COUNTRY_GROUP_EEA, country, now) == MEMBERS[i].eea,
                      "%s in the EEA, %s", MEMBERS[i].code, MEMBERS[i].when);
    }
}
END_TEST

/* The groups as they are after 1 February 2020, written out. */
static const char EU_TODAY[] = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL "
                               "PT RO SE SI SK AX GF GP MF MQ RE YT";
static const char EEA_ONLY[] = "IS LI NO";

START_TEST(members_of_today)
{
    int64_t now = instant("2026-01-01T00:00:00Z");
    struct country_set since[COUNTRY_GROUPS];
    country_group_members_since(COUNTRY_GROUP_EU, now, &since[COUNTRY_GROUP_EU]);
    country_group_members_since(COUNTRY_GROUP_EEA, now, &since[COUNTRY_GROUP_EEA]);
    for (unsigned index = 0; index < COUNTRY_INDEXES; index++) {
        struct country country = country_of_index(index);
        const char code[3] = {country.letter[0], country.letter[1], '\0'};
        bool eu = country_known(country) && strstr(EU_TODAY, code) != NULL;
        bool eea = eu || (country_known(country) && strstr(EEA_ONLY, code) != NULL);
        ck_assert_msg(country_group_has(COUNTRY_GROUP_EU, country, now) == eu, "EU %s", code);
        ck_assert_msg(country_group_has(COUNTRY_GROUP_EEA, country, now) == eea, "EEA %s", code);
        ck_assert_msg(country_set_has(&since[COUNTRY_GROUP_EU], country) == eu, "EU %s", code);
        ck_assert_msg(country_set_has(&since[COUNTRY_GROUP_EEA], country) == eea, "EEA %s", code);
    }
}
END_TEST

START_TEST(members_since_are_all_that_may_come)
{
    struct country_set set;
    country_group_members_since(COUNTRY_GROUP_EU, instant("2020-01-31T22:59:59Z"), &set);
    ck_assert(country_set_has(&set, country_of("GB")));
    country_group_members_since(COUNTRY_GROUP_EU, instant("2020-01-31T23:00:00Z"), &set);
    ck_assert(!country_set_has(&set, country_of("GB")));
    country_group_members_since(COUNTRY_GROUP_EU, instant("2010-01-01T00:00:00Z"), &set);
    ck_assert(country_set_has(&set, country_of("HR"))); /* a member only from 2013 */
    ck_assert(!country_set_has(&set, country_of("NO")));
}
END_TEST

START_TEST(names)
{
    enum country_group group;
    ck_assert(country_group_parse("EU", 2, &group));
    ck_assert_int_eq(group, COUNTRY_GROUP_EU);
    ck_assert(country_group_parse("EEA", 3, &group));
    ck_assert_int_eq(group, COUNTRY_GROUP_EEA);
    ck_assert(country_group_parse("EEAX", 3, &group));
    ck_assert(!country_group_parse("EU", 1, &group));
    ck_assert(!country_group_parse("eu", 2, &group));
    ck_assert(!country_group_parse("EFTA", 4, &group));
    ck_assert(!country_group_parse("", 0, &group));
    ck_assert_str_eq(country_group_name(COUNTRY_GROUP_EU), "EU");
    ck_assert_str_eq(country_group_name(COUNTRY_GROUP_EEA), "EEA");
}
END_TEST

START_TEST(the_unknown_country_is_no_member)
{
    int64_t now = instant("2026-01-01T00:00:00Z");
    ck_assert(!country_group_has(COUNTRY_GROUP_EU, COUNTRY_UNKNOWN, now));
    ck_assert(!country_group_has(COUNTRY_GROUP_EEA, COUNTRY_UNKNOWN, now));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("country_group");
    TCase *tests = tcase_create("country_group");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, membership_is_dated);
    tcase_add_test(tests, members_of_today);
    tcase_add_test(tests, members_since_are_all_that_may_come);
    tcase_add_test(tests, names);
    tcase_add_test(tests, the_unknown_country_is_no_member);
    return suite_run(suite);
}
