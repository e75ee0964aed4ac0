/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Problems as lines: places, warnings, and names of files that would steer a terminal.
 */
#include "forwarder/explain/problem_report.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "geo/problem.h"
#include "test/suite.h"

START_TEST(each_problem_is_one_line)
{
    struct problem_list problems;
    problem_list_init(&problems);
    problem_list_add(&problems, PROBLEM_ERROR, "IT/a.yaml", 3, 5, "not a name: %s", "x y");
    problem_list_add(&problems, PROBLEM_WARNING, "IT/a.yaml", 4, 0, "past its review");
    problem_list_add(&problems, PROBLEM_WARNING, "IT/odd\n\x1b[2J", 0, 0, "neither order nor list");

    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    problem_report(&problems, out);
    problem_report_error("batch", 7, "expected an address", out);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_str_eq(text, "IT/a.yaml:3:5: not a name: x y\n"
                           "IT/a.yaml:4: warning: past its review\n"
                           "IT/odd??[2J: warning: neither order nor list\n"
                           "batch:7: expected an address\n");
    free(text);
    problem_list_fini(&problems);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("problem_report");
    TCase *tcase = tcase_create("problem_report");
    tcase_add_test(tcase, each_problem_is_one_line);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
