/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Problem lists: what is kept, counted, moved and printed.
 */
#include "geo/problem.h"

#include <check.h>
#include <string.h>

#include "test/suite.h"

START_TEST(keeps_copies_in_order)
{
    struct problem_list list;
    problem_list_init(&list);
    char file[] = "IT/a.yaml";
    for (unsigned i = 0; i < 100; i++) {
        problem_list_add(&list, i % 3 == 0 ? PROBLEM_WARNING : PROBLEM_ERROR, file, i, 2 * i,
                         "number %u", i);
    }
    file[0] = '?';
    ck_assert_uint_eq(list.count, 100);
    ck_assert_uint_eq(list.errors, 66);
    ck_assert_str_eq(list.items[77].file, "IT/a.yaml");
    ck_assert_str_eq(list.items[77].text, "number 77");
    ck_assert_uint_eq(list.items[77].line, 77);
    ck_assert_uint_eq(list.items[77].column, 154);
    ck_assert_int_eq(list.items[77].level, PROBLEM_ERROR);
    problem_list_fini(&list);
    ck_assert_uint_eq(list.count, 0);
    ck_assert_uint_eq(list.errors, 0);
}
END_TEST

START_TEST(moves_everything)
{
    struct problem_list to, from;
    problem_list_init(&to);
    problem_list_init(&from);
    problem_list_move(&to, &from);
    ck_assert_uint_eq(to.count, 0);
    problem_list_add(&to, PROBLEM_WARNING, "first", 0, 0, "a");
    for (unsigned i = 0; i < 20; i++) {
        problem_list_add(&from, PROBLEM_ERROR, "second", i, 0, "b");
    }
    problem_list_move(&to, &from);
    ck_assert_uint_eq(to.count, 21);
    ck_assert_uint_eq(to.errors, 20);
    ck_assert_str_eq(to.items[0].file, "first");
    ck_assert_uint_eq(to.items[20].line, 19);
    ck_assert_uint_eq(from.count, 0);
    ck_assert_uint_eq(from.errors, 0);
    problem_list_add(&from, PROBLEM_ERROR, "again", 0, 0, "usable");
    problem_list_fini(&from);
    problem_list_fini(&to);
}
END_TEST

static const struct {
    const char *label;
    unsigned line, column;
    const char *expected;
} PLACES[] = {
    {"line and column", 3, 14, "a.yaml:3:14: wrong"},
    {"line alone", 3, 0, "a.yaml:3: wrong"},
    {"the file as a whole", 0, 0, "a.yaml: wrong"},
};

START_TEST(prints_the_place)
{
    for (size_t i = 0; i < sizeof PLACES / sizeof PLACES[0]; i++) {
        struct problem_list list;
        problem_list_init(&list);
        problem_list_add(&list, PROBLEM_ERROR, "a.yaml", PLACES[i].line, PLACES[i].column, "wrong");
        char out[64];
        problem_format(&list.items[0], out, sizeof out);
        ck_assert_msg(strcmp(out, PLACES[i].expected) == 0, "%s: %s", PLACES[i].label, out);
        problem_format(&list.items[0], out, 8);
        ck_assert_msg(strncmp(out, PLACES[i].expected, 7) == 0 && out[7] == '\0', "%s, cut: %s",
                      PLACES[i].label, out);
        problem_list_fini(&list);
    }
}
END_TEST

static const struct {
    const char *label, *text, *expected;
} TEXTS[] = {
    {"ASCII stays", "a ~ b", "a ~ b"},
    {"two, three and four bytes stay", "\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80",
     "\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80"},
    {"control characters go", "a\tb\nc\x1b[31m\x7f", "a?b?c?[31m?"},
    {"C1 control characters go", "a\xc2\x9b\x62", "a??b"},
    {"a lone continuation byte", "a\x80z", "a?z"},
    {"an overlong slash", "\xc0\xaf \xe0\x80\xaf", "?? ???"},
    {"a surrogate", "\xed\xa0\x80", "???"},
    {"beyond Unicode", "\xf4\x90\x80\x80\xf5", "?????"},
    {"cut at the end", "ab\xe2\x82", "ab??"},
};

START_TEST(texts_become_printable)
{
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        struct problem_list list;
        problem_list_init(&list);
        problem_list_add(&list, PROBLEM_ERROR, TEXTS[i].text, 0, 0, "%s", TEXTS[i].text);
        ck_assert_msg(strcmp(list.items[0].text, TEXTS[i].expected) == 0, "%s: %s", TEXTS[i].label,
                      list.items[0].text);
        ck_assert_str_eq(list.items[0].file, TEXTS[i].expected);
        problem_list_fini(&list);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("problem");
    TCase *tests = tcase_create("problem");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, keeps_copies_in_order);
    tcase_add_test(tests, moves_everything);
    tcase_add_test(tests, prints_the_place);
    tcase_add_test(tests, texts_become_printable);
    return suite_run(suite);
}
