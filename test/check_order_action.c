/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * policy/order_action: the words for actions, and which of them an order file may use.
 */
#include "policy/order_action.h"

#include <check.h>
#include <string.h>

#include "test/suite.h"

static const struct {
    const char *name;
    enum order_action action;
    bool written; /* order files may ask for it */
} words[] = {
    {"refused", ORDER_REFUSED, true},   {"nxdomain", ORDER_NXDOMAIN, true},
    {"nodata", ORDER_NODATA, true},     {"address", ORDER_ADDRESS, true},
    {"cname", ORDER_CNAME, true},       {"drop", ORDER_DROP, true},
    {"shadow", ORDER_SHADOW, true},     {"tcp-only", ORDER_TCP_ONLY, false},
    {"local data", ORDER_LOCAL, false},
};

START_TEST(every_action_has_a_word)
{
    ck_assert_str_eq(order_action_name(words[_i].action), words[_i].name);
    enum order_action action = ORDER_LOCAL;
    ck_assert(order_action_parse(words[_i].name, strlen(words[_i].name), &action) ==
              words[_i].written);
    ck_assert_int_eq(action, words[_i].written ? words[_i].action : ORDER_LOCAL);
}
END_TEST

START_TEST(other_words_are_none)
{
    static const char *const others[] = {"", "Refused", "refuse", "refusedx", "no", "tcp", "pass"};
    for (size_t i = 0; i < ROWS(others); i++) {
        enum order_action action;
        ck_assert_msg(!order_action_parse(others[i], strlen(others[i]), &action), "%s", others[i]);
    }
}
END_TEST

/* Text that does not end where the word does. */
START_TEST(reads_no_further_than_it_may)
{
    enum order_action action;
    ck_assert(order_action_parse("dropped", 4, &action));
    ck_assert_int_eq(action, ORDER_DROP);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order_action");
    TCase *tcase = tcase_create("order_action");
    tcase_add_loop_test(tcase, every_action_has_a_word, 0, ROWS(words));
    tcase_add_test(tcase, other_words_are_none);
    tcase_add_test(tcase, reads_no_further_than_it_may);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
