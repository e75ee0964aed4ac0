/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Errors of the next version of an order file, and the items that they are about.
 */
#include "forwarder/cli/order_blame.h"

#include <check.h>
#include <string.h>

#include "policy/guard.h"
#include "policy/order_file.h"
#include "test/order_edit_notation.h"
#include "test/suite.h"

#define HEAD "id: x\nauthority: x\nissued: 2022-07-11\n"

/* Items by index and why, "; " between them; then "others" if an error is about something else. */
static const struct {
    const char *label;
    const char *before;
    const char *add;
    const char *expected;
} rows[] = {
    {"none", HEAD "names: [a.it]\n", "+b.it", ""},
    {"block", HEAD "names:\n  - a.it\n", "+b.it +com +c.it +org",
     "1 com is a top-level domain, and allow-wide does not list it; "
     "3 org is a top-level domain, and allow-wide does not list it; "},
    {"flow, all in one line", HEAD "names: [a.it]\nmessage: x\n", "+com +b.it +=org +!net",
     "0 com is a top-level domain, and allow-wide does not list it; "
     "2 org is a top-level domain, and allow-wide does not list it; "},
    {"allowed", HEAD "allow-wide: [com]\nnames: [a.it]\n", "+com", ""},
    {"one of before", HEAD "names: [net]\n", "+com",
     "0 com is a top-level domain, and allow-wide does not list it; others"},
    {"the order itself", "authority: x\nissued: 2022-07-11\nnames: [a.it]\n", "+b.it", "others"},
    {"another key behind", HEAD "names:\n  - a.it\nlists: 1\n", "+b.it", "others"},
};

static char blamed[1024];

static void note(void *ctx, size_t index, const char *why)
{
    size_t used = strlen(blamed);
    (void)ctx;
    snprintf(blamed + used, sizeof blamed - used, "%zu %s; ", index, why);
}

static bool judge(const struct file_bytes *bytes, struct problem_list *problems)
{
    struct guard *guard = guard_new("", NULL, 0, problems);
    const struct order_file_env env = {
        .folder = {.country = {{'I', 'T'}}}, .guard = guard, .now = 1767225600};
    struct order *order = order_file_parse(&env, "f", bytes, problems);
    bool good = order != NULL;
    order_unref(order);
    guard_free(guard);
    return good;
}

START_TEST(finds_the_item)
{
    struct order_edit_words words;
    struct problem_list problems;
    struct file_bytes file, next;
    problem_list_init(&problems);
    blamed[0] = '\0';
    order_edit_words(rows[_i].add, &words);
    ck_assert(file_bytes_copy(rows[_i].before, strlen(rows[_i].before), &file));
    ck_assert(order_edit_apply("f", &file, &words.edit, &next, &problems));
    bool good = judge(&next, &problems);
    bool all = order_blame(&words.edit, &next, &problems, note, NULL);
    ck_assert_msg(good == (rows[_i].expected[0] == '\0'), "%s", rows[_i].label);
    strcat(blamed, all ? "" : "others");
    ck_assert_msg(strcmp(blamed, rows[_i].expected) == 0, "%s: %s", rows[_i].label, blamed);
    file_bytes_fini(&next);
    file_bytes_fini(&file);
    problem_list_fini(&problems);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order_blame");
    TCase *tcase = tcase_create("order_blame");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, finds_the_item, 0, (int)(sizeof rows / sizeof *rows));
    return suite_run(suite);
}
