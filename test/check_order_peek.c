/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is known of an order file before it is changed, valid or not.
 */
#include "policy/order_peek.h"

#include <check.h>
#include <string.h>

#include "test/order_edit_notation.h"
#include "test/suite.h"

static struct problem_list problems;

static struct order_peek *peek_at(const char *text)
{
    struct file_bytes file;
    problem_list_fini(&problems);
    ck_assert(file_bytes_copy(text, strlen(text), &file));
    struct order_peek *peek = order_peek_open("f", &file, &problems);
    file_bytes_fini(&file);
    return peek;
}

static const struct {
    const char *label;
    const char *text;
    const char *id;
    int status; /* -1: refused */
    const char *what;
} rows[] = {
    {"valid", "id: x\nstatus: suspended\nhistory: [{what: a}, {what: b}]\n", "x", ORDER_SUSPENDED,
     "b"},
    {"no status, no history", "id: x\n", "x", ORDER_ACTIVE, ""},
    {"no id", "names: [com]\nstatus: lifted\n", "", ORDER_LIFTED, ""},
    {"an id by escapes", "id: \"\\x49T-1\"\n", "IT-1", ORDER_ACTIVE, ""},
    {"an id that is a list", "id: [x]\n", "", ORDER_ACTIVE, ""},
    {"no such status", "id: x\nstatus: paused\n", "x", -1, ""},
    {"a history of other kinds", "id: x\nhistory: [a, [b], {what: c}, {by: d}]\n", "x",
     ORDER_ACTIVE, "c"},
    {"a history that is a text", "id: x\nhistory: none\n", "x", ORDER_ACTIVE, ""},
};

START_TEST(reads)
{
    struct order_peek *peek = peek_at(rows[_i].text);
    enum order_status status;
    ck_assert_msg(peek != NULL, "%s", rows[_i].label);
    ck_assert_str_eq(order_peek_id(peek), rows[_i].id);
    bool known = order_peek_status(peek, &status, &problems);
    ck_assert_int_eq(known ? (int)status : -1, rows[_i].status);
    ck_assert_uint_eq(problems.errors, known ? 0 : 1);
    ck_assert_str_eq(order_peek_newest(peek, "what"), rows[_i].what);
    order_peek_free(peek);
}
END_TEST

START_TEST(tells_the_lists)
{
    struct order_peek *peek = peek_at("lists: [{file: a.txt, format: x}, b, {format: rpz}, [c]]\n");
    static const char *const paths[] = {"a.txt", "", "", ""};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const char *path = order_peek_list(peek, i);
        ck_assert_msg(path != NULL && strcmp(path, paths[i]) == 0, "%zu", i);
    }
    ck_assert_ptr_null(order_peek_list(peek, 4));
    order_peek_free(peek);
    peek = peek_at("lists: none\n");
    ck_assert_ptr_null(order_peek_list(peek, 0));
    order_peek_free(peek);
}
END_TEST

START_TEST(refuses_what_is_no_mapping)
{
    static const char *const texts[] = {"[", "- a\n", "text\n", ""};
    ck_assert_ptr_null(peek_at(texts[_i]));
    ck_assert_uint_eq(problems.errors, 1);
}
END_TEST

START_TEST(knows_what_is_held)
{
    struct order_edit_words words;
    bool held[6] = {false};
    order_edit_words("+A.it. +=a.it +b.it +=b.it +!c.it +d.it", &words);
    struct order_peek *peek =
        peek_at("names: [a.it, {name: B.it, ticket: x}, a..b, [c.it], {x: y}]\n"
                "exact: d.it\nexcept: [\"c.it.\"]\n");
    ck_assert(order_peek_held(peek, words.add, 6, held));
    ck_assert(held[0] && !held[1] && held[2] && !held[3] && held[4] && !held[5]);
    ck_assert(order_peek_held(peek, words.add, 0, held));
    order_peek_free(peek);
    order_peek_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order_peek");
    TCase *tcase = tcase_create("order_peek");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, reads, 0, ROWS(rows));
    tcase_add_test(tcase, tells_the_lists);
    tcase_add_loop_test(tcase, refuses_what_is_no_mapping, 0, 4);
    tcase_add_test(tcase, knows_what_is_held);
    return suite_run(suite);
}
