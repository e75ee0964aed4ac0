/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Exports of several machines, added up: each row of each machine once.
 */
#include "forwarder/cli/export_merge.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "test/suite.h"

#define ROW(source, order, country, hour, blocked)                                             \
    "{\"source\":\"" source "\",\"host\":\"h\",\"order\":\"" order "\",\"country\":\"" country \
    "\",\"hour\":\"2026-01-01T" hour ":00:00Z\",\"blocked\":" blocked "}\n"

/* Rows as "order:country@hour=count", a blank behind each. */
static const char *merge(const char *const *lines)
{
    static char text[1024];
    struct export_merge merged = {0};
    char why[WHY_MAX];
    text[0] = '\0';
    for (size_t i = 0; lines[i] != NULL; i++) {
        ck_assert_msg(export_merge_add(&merged, lines[i], strlen(lines[i]), why), "%s", why);
    }
    ck_assert(export_merge_sum(&merged));
    for (size_t i = 0; i < merged.count; i++) {
        const struct block_row *row = &merged.rows[i].row;
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s:%s@%d=%d ", row->order, row->country,
                 (int)(row->hour / 3600 % 24), (int)row->count);
    }
    export_merge_fini(&merged);
    return text;
}
#define MERGE(...) merge((const char *const[]){__VA_ARGS__, NULL})

START_TEST(machines_are_added_up)
{
    ck_assert_str_eq(merge((const char *const[]){NULL}), "");
    ck_assert_str_eq(MERGE(ROW("m1", "A", "IT", "10", "3"), ROW("m2", "A", "IT", "10", "4"),
                           ROW("m2", "A", "SM", "10", "1"), ROW("m1", "B", "IT", "09", "2")),
                     "B:IT@9=2 A:IT@10=7 A:SM@10=1 ");
}
END_TEST

START_TEST(the_same_export_twice_counts_once)
{
    ck_assert_str_eq(MERGE(ROW("m1", "A", "IT", "10", "3"), ROW("m2", "A", "IT", "10", "4"),
                           ROW("m1", "A", "IT", "10", "3"), ROW("m1", "A", "IT", "10", "3")),
                     "A:IT@10=7 ");
    /* an export of an hour that was not over, and one of all of it */
    ck_assert_str_eq(MERGE(ROW("m1", "A", "IT", "10", "9"), ROW("m1", "A", "IT", "10", "3")),
                     "A:IT@10=9 ");
}
END_TEST

START_TEST(lines_that_are_none)
{
    static const char *const rows[] = {
        "",
        "x",
        "[]",
        "{}",
        "{\"source\":\"m1\"}",
        "hour,order,country,blocked",
        "{\"order\":\"A\",\"country\":\"IT\",\"hour\":\"2026-01-01T10:00:00Z\",\"blocked\":1}",
        ROW("m1", "A", "IT", "10", "-1"),
        ROW("m1", "A", "IT", "10", "1.5"),
        ROW("m1", "A", "IT", "10", "\"1\""),
        ROW("m1", "A", "IT", "1", "1"),
        ROW("m1", "A", "nowhere-at-all", "10", "1")};
    struct export_merge merged = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char why[WHY_MAX] = "";
        ck_assert_msg(!export_merge_add(&merged, rows[i], strlen(rows[i]), why), "%s", rows[i]);
        ck_assert_msg(strstr(why, "expected a line") == why, "%s", why);
    }
    ck_assert_uint_eq(merged.count, 0);
    export_merge_fini(&merged);
}
END_TEST

START_TEST(sums_that_are_too_large)
{
    static const char *const rows[] = {ROW("m1", "A", "IT", "10", "9223372036854775807"),
                                       ROW("m2", "A", "IT", "10", "1")};
    struct export_merge merged = {0};
    char why[WHY_MAX];
    for (size_t i = 0; i < 2; i++) {
        ck_assert(export_merge_add(&merged, rows[i], strlen(rows[i]), why));
    }
    ck_assert(!export_merge_sum(&merged));
    export_merge_fini(&merged);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("export_merge");
    TCase *tcase = tcase_create("export_merge");
    tcase_add_test(tcase, machines_are_added_up);
    tcase_add_test(tcase, the_same_export_twice_counts_once);
    tcase_add_test(tcase, lines_that_are_none);
    tcase_add_test(tcase, sums_that_are_too_large);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
