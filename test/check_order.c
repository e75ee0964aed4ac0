/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The life of an order, its scope by country, group and day, and its words.
 */
#include "policy/order.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

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
    tcase_add_test(tcase, reads_its_own_words);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
