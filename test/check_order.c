/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The life of an order, its scope by country, group and day, and its words.
 */
#include "policy/order.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "test/suite.h"

#define BREXIT INT64_C(1580511600)

static struct country country(const char *code)
{
    struct country result;
    ck_assert_msg(country_parse(code, strlen(code), &result), "%s", code);
    return result;
}

START_TEST(lives_by_references)
{
    struct order *order = order_new();
    ck_assert_ptr_nonnull(order);
    order->id = strdup("X");
    order->authority = strdup("Court");
    order->records = calloc(1, sizeof *order->records);
    order->records[0] = (struct order_record){strdup("lumen"), NULL};
    order->record_count = 1;
    ck_assert_ptr_eq(order_ref(order), order);
    order_unref(order);
    ck_assert_str_eq(order->id, "X");
    order_unref(order);
    order_unref(NULL);
}
END_TEST

START_TEST(begins_as_an_order_for_good)
{
    struct order *order = order_new();
    ck_assert_int_eq(order->status, ORDER_ACTIVE);
    ck_assert_int_eq(order->effective, ORDER_ALWAYS);
    ck_assert_int_eq(order->end, ORDER_FOR_GOOD);
    ck_assert_int_eq(order->review, ORDER_FOR_GOOD);
    ck_assert(order->disclose);
    order_unref(order);
}
END_TEST

START_TEST(scopes_hold_countries_and_groups)
{
    struct order_scope scope = {0};
    ck_assert(!order_scope_has(&scope, country("IT"), BREXIT));
    ck_assert(!order_scope_has(&scope, COUNTRY_UNKNOWN, BREXIT));
    country_set_add(&scope.countries, country("CH"));
    scope.groups[COUNTRY_GROUP_EU] = true;
    ck_assert(order_scope_has(&scope, country("CH"), BREXIT));
    ck_assert(order_scope_has(&scope, country("IT"), BREXIT));
    ck_assert(order_scope_has(&scope, country("RE"), BREXIT));
    ck_assert(!order_scope_has(&scope, country("NO"), BREXIT));
    ck_assert(order_scope_has(&scope, country("GB"), BREXIT - 1));
    ck_assert(!order_scope_has(&scope, country("GB"), BREXIT));
    ck_assert(!order_scope_has(&scope, COUNTRY_UNKNOWN, BREXIT));
    scope.unknown = true;
    ck_assert(order_scope_has(&scope, COUNTRY_UNKNOWN, BREXIT));
    ck_assert(!order_scope_has(&scope, country("NO"), BREXIT));
}
END_TEST

#define YEAR_2013 INT64_C(1356998400)     /* 2013-01-01T00:00:00Z */
#define YEAR_2014 INT64_C(1388534400)     /* 2014-01-01T00:00:00Z */
#define JULY_2013 INT64_C(1372636800)     /* 2013-07-01T00:00:00Z */
#define MAY_1995 INT64_C(799286400)       /* 1995-05-01T00:00:00Z */
#define NOVEMBER_2026 INT64_C(1793491200) /* 2026-11-01T00:00:00Z */

/* A group is who belongs to it on that day. */
static const struct {
    const char *country;
    int64_t day;
    bool eu;
    bool eea;
} groups[] = {
    {"IT", NOVEMBER_2026, true, true},
    {"HR", JULY_2013 - 1, false, false},
    {"HR", JULY_2013, true, true},
    {"GB", BREXIT - 1, true, true},
    {"GB", BREXIT, false, false},
    {"IS", NOVEMBER_2026, false, true},
    {"NO", NOVEMBER_2026, false, true},
    {"LI", MAY_1995 - 1, false, false},
    {"LI", MAY_1995, false, true},
    {"CH", NOVEMBER_2026, false, false},
    {"TR", NOVEMBER_2026, false, false},
    {"XK", NOVEMBER_2026, false, false},
    /* territories with codes of their own */
    {"AX", NOVEMBER_2026, true, true},
    {"GF", NOVEMBER_2026, true, true},
    {"GP", NOVEMBER_2026, true, true},
    {"MF", NOVEMBER_2026, true, true},
    {"MQ", NOVEMBER_2026, true, true},
    {"RE", NOVEMBER_2026, true, true},
    {"YT", YEAR_2013, false, false},
    {"YT", YEAR_2014, true, true},
    {"BL", NOVEMBER_2026, false, false},
    {"PM", NOVEMBER_2026, false, false},
    {"NC", NOVEMBER_2026, false, false},
    {"PF", NOVEMBER_2026, false, false},
    {"WF", NOVEMBER_2026, false, false},
    {"TF", NOVEMBER_2026, false, false},
    {"AW", NOVEMBER_2026, false, false},
    {"BQ", NOVEMBER_2026, false, false},
    {"CW", NOVEMBER_2026, false, false},
    {"SX", NOVEMBER_2026, false, false},
    {"GL", NOVEMBER_2026, false, false},
    {"FO", NOVEMBER_2026, false, false},
    {"SJ", NOVEMBER_2026, false, false},
    {"GI", BREXIT - 1, false, false},
    {"IM", NOVEMBER_2026, false, false},
    {"PR", NOVEMBER_2026, false, false},
};

START_TEST(groups_are_those_of_the_day)
{
    struct order_scope eu = {.groups = {[COUNTRY_GROUP_EU] = true}};
    struct order_scope eea = {.groups = {[COUNTRY_GROUP_EEA] = true}};
    struct country asked = country(groups[_i].country);
    ck_assert_msg(order_scope_has(&eu, asked, groups[_i].day) == groups[_i].eu, "%s in EU",
                  groups[_i].country);
    ck_assert_msg(order_scope_has(&eea, asked, groups[_i].day) == groups[_i].eea, "%s in EEA",
                  groups[_i].country);
}
END_TEST

START_TEST(reads_its_own_words)
{
    static const char *const actions[] = {"refused", "nxdomain", "nodata", "address",
                                          "cname",   "drop",     "shadow"};
    static const char *const states[] = {"active", "suspended", "lifted"};
    static const char *const none[] = {"", "Refused", "refuse", "refusedd", "tcp-only", "drop "};
    enum order_action action;
    enum order_status status;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        ck_assert(order_action_parse(actions[i], strlen(actions[i]), &action));
        ck_assert_int_eq(action, (int)i);
        ck_assert_str_eq(order_action_name(action), actions[i]);
    }
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        ck_assert(order_status_parse(states[i], strlen(states[i]), &status));
        ck_assert_int_eq(status, (int)i);
        ck_assert_str_eq(order_status_name(status), states[i]);
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        ck_assert_msg(!order_action_parse(none[i], strlen(none[i]), &action), "%s", none[i]);
        ck_assert_msg(!order_status_parse(none[i], strlen(none[i]), &status), "%s", none[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order");
    TCase *tcase = tcase_create("order");
    tcase_add_test(tcase, lives_by_references);
    tcase_add_test(tcase, begins_as_an_order_for_good);
    tcase_add_test(tcase, scopes_hold_countries_and_groups);
    tcase_add_loop_test(tcase, groups_are_those_of_the_day, 0,
                        (int)(sizeof groups / sizeof *groups));
    tcase_add_test(tcase, reads_its_own_words);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
