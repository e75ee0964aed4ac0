/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is blocked already for the clients of an order, by itself and by others.
 */
#include "forwarder/cli/order_cover.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "policy/guard.h"
#include "policy/order_file.h"
#include "policy/policy.h"
#include "test/order_edit_notation.h"
#include "test/suite.h"

#define NOW 1767225600 /* 2026-01-01T00:00:00Z */
#define SEED 7

static const char *const texts[] = {
    "id: OWN\nauthority: x\nissued: 2022-07-11\nscope: [IT, SM]\n"
    "names: [own.it, {name: dated.it, until: 2027-01-01T00:00:00Z}]\n"
    "exact: [exact.it]\nexcept: [fine.own.it, fine.it]\n",
    "id: WIDE\nauthority: x\nissued: 2022-07-11\nscope: [IT, SM, DE]\n"
    "names: [wide.it, fine.it, dated.it]\nexact: [exact.wide2.it]\nexcept: [free.wide.it]\n",
    "id: IT-ONLY\nauthority: x\nissued: 2022-07-11\nnames: [italy.it]\n",
    "id: LATER\nauthority: x\nissued: 2022-07-11\nscope: [IT, SM]\n"
    "effective: 2027-01-01T00:00:00Z\nnames: [later.it]\n",
    "id: ENDS\nauthority: x\nissued: 2022-07-11\nscope: [IT, SM]\n"
    "until: 2027-01-01T00:00:00Z\nnames: [ends.it]\n",
    "id: PAUSED\nauthority: x\nissued: 2022-07-11\nscope: [IT, SM]\nstatus: suspended\n"
    "names: [paused.it]\n",
    "id: SOME\nauthority: x\nissued: 2022-07-11\nscope: [IT, SM]\n"
    "except-networks: [192.0.2.0/24]\nnames: [some.it]\n",
    "id: SHADOW\nauthority: x\nissued: 2022-07-11\nscope: [IT, SM]\naction: shadow\n"
    "names: [shadow.it]\n",
};
#define ORDERS (sizeof texts / sizeof *texts)

static const struct {
    const char *word;
    enum order_cover_verdict verdict;
    const char *by; /* NULL: whoever */
} rows[] = {
    {"+own.it", ORDER_COVER_OWN, "OWN"},
    {"+www.own.it", ORDER_COVER_OWN, "OWN"},
    {"+=www.own.it", ORDER_COVER_OWN, "OWN"},
    {"+it", ORDER_COVER_FREE, NULL},
    {"+notown.it", ORDER_COVER_FREE, NULL},
    {"+fine.own.it", ORDER_COVER_EXCEPT, NULL},
    {"+a.fine.own.it", ORDER_COVER_EXCEPT, NULL},
    {"+fine.it", ORDER_COVER_EXCEPT, NULL},
    {"+=exact.it", ORDER_COVER_OWN, "OWN"},
    {"+exact.it", ORDER_COVER_FREE, NULL},
    {"+=www.exact.it", ORDER_COVER_FREE, NULL},
    {"+dated.it", ORDER_COVER_FREE, NULL},
    {"+a.wide.it", ORDER_COVER_OTHER, "WIDE"},
    {"+free.wide.it", ORDER_COVER_FREE, NULL},
    {"+=exact.wide2.it", ORDER_COVER_OTHER, "WIDE"},
    {"+exact.wide2.it", ORDER_COVER_FREE, NULL},
    {"+italy.it", ORDER_COVER_FREE, NULL},
    {"+later.it", ORDER_COVER_FREE, NULL},
    {"+ends.it", ORDER_COVER_FREE, NULL},
    {"+paused.it", ORDER_COVER_FREE, NULL},
    {"+some.it", ORDER_COVER_FREE, NULL},
    {"+shadow.it", ORDER_COVER_FREE, NULL},
};

static struct order *orders[ORDERS];
static struct policy *policy;

static struct order *parse(const char *text)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct guard *guard = guard_new("", NULL, 0, &problems);
    const struct order_file_env env = {
        .folder = {.country = {{'I', 'T'}}}, .guard = guard, .seed = SEED, .now = NOW};
    struct file_bytes file;
    ck_assert(file_bytes_copy(text, strlen(text), &file));
    struct order *order = order_file_parse(&env, "f", &file, &problems);
    ck_assert_msg(order != NULL, "%s", problems.items[0].text);
    file_bytes_fini(&file);
    guard_free(guard);
    problem_list_fini(&problems);
    return order;
}

static void setup(void)
{
    for (size_t i = 0; i < ORDERS; i++) {
        orders[i] = parse(texts[i]);
    }
    policy = policy_new(orders, ORDERS, SEED, NOW);
    ck_assert_ptr_nonnull(policy);
}

static void teardown(void)
{
    policy_free(policy);
    for (size_t i = 0; i < ORDERS; i++) {
        order_unref(orders[i]);
    }
}

static struct order_cover *cover_new(const struct name_list *list, const struct policy *known)
{
    const struct order_cover_options options = {orders[0], list, known, false, NOW};
    return order_cover_new(&options);
}

START_TEST(judges)
{
    struct order_edit_words words;
    const char *by = NULL;
    order_edit_words(rows[_i].word, &words);
    struct order_cover *cover = cover_new(NULL, policy);
    enum order_cover_verdict verdict = order_cover_judge(cover, &words.add[0], &by);
    ck_assert_msg(verdict == rows[_i].verdict, "%s: %d", rows[_i].word, (int)verdict);
    if (rows[_i].by != NULL) {
        ck_assert_str_eq(by, rows[_i].by);
    }
    order_cover_free(cover);
}
END_TEST

START_TEST(judges_without_others)
{
    struct order_edit_words words;
    const char *by = NULL;
    order_edit_words("+wide.it +own.it", &words);
    struct order_cover *cover = cover_new(NULL, NULL);
    ck_assert_int_eq(order_cover_judge(cover, &words.add[0], &by), ORDER_COVER_FREE);
    ck_assert_int_eq(order_cover_judge(cover, &words.add[1], &by), ORDER_COVER_OWN);
    order_cover_free(cover);
    order_cover_free(NULL);
}
END_TEST

START_TEST(judges_by_a_list)
{
    static const char names[] = "list.it\n=exact3.it\n!free.list.it\n!fine2.own.it\n";
    static const struct {
        const char *word;
        enum order_cover_verdict verdict;
    } listed[] = {
        {"+www.list.it", ORDER_COVER_OWN},     {"+=exact3.it", ORDER_COVER_OWN},
        {"+exact3.it", ORDER_COVER_FREE},      {"+a.free.list.it", ORDER_COVER_EXCEPT},
        {"+fine2.own.it", ORDER_COVER_EXCEPT}, {"+own.it", ORDER_COVER_OWN},
        {"+fine.own.it", ORDER_COVER_EXCEPT},  {"+a.wide.it", ORDER_COVER_OTHER},
        {"+elsewhere.it", ORDER_COVER_FREE},
    };
    struct problem_list problems;
    problem_list_init(&problems);
    struct guard *guard = guard_new("", NULL, 0, &problems);
    const struct name_list_options options = {
        .name = "list", .guard = guard, .seed = ORDER_COVER_SEED};
    struct name_list *list = name_list_parse(&options, names, sizeof names - 1, &problems);
    ck_assert_ptr_nonnull(list);
    struct order_cover *cover = cover_new(list, policy);
    for (size_t i = 0; i < sizeof listed / sizeof *listed; i++) {
        struct order_edit_words words;
        const char *by = NULL;
        order_edit_words(listed[i].word, &words);
        enum order_cover_verdict verdict = order_cover_judge(cover, &words.add[0], &by);
        ck_assert_msg(verdict == listed[i].verdict, "%s: %d", listed[i].word, (int)verdict);
    }
    order_cover_free(cover);
    name_list_unref(list);
    guard_free(guard);
    problem_list_fini(&problems);
}
END_TEST

/* The policy has what the order named before its file, or a list, got an error. */
START_TEST(judges_by_no_last_good_version)
{
    struct order_edit_words words;
    const char *by = NULL;
    struct order *next = parse("id: OWN\nauthority: x\nissued: 2022-07-11\nscope: [IT, SM]\n"
                               "names: [new.it]\n");
    struct order_cover_options options = {next, NULL, policy, false, NOW};
    order_edit_words("+=own.it +a.wide.it +new.it", &words);
    struct order_cover *cover = order_cover_new(&options);
    ck_assert_int_eq(order_cover_judge(cover, &words.add[0], &by), ORDER_COVER_OWN);
    order_cover_free(cover);
    options.last_good = true;
    cover = order_cover_new(&options);
    ck_assert_int_eq(order_cover_judge(cover, &words.add[0], &by), ORDER_COVER_FREE);
    ck_assert_int_eq(order_cover_judge(cover, &words.add[1], &by), ORDER_COVER_OTHER);
    ck_assert_int_eq(order_cover_judge(cover, &words.add[2], &by), ORDER_COVER_OWN);
    order_cover_free(cover);
    order_unref(next);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order_cover");
    TCase *tcase = tcase_create("order_cover");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, judges, 0, (int)(sizeof rows / sizeof *rows));
    tcase_add_test(tcase, judges_without_others);
    tcase_add_test(tcase, judges_by_a_list);
    tcase_add_test(tcase, judges_by_no_last_good_version);
    return suite_run(suite);
}
