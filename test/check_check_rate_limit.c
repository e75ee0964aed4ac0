/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is said of `rate-limit` though nothing is wrong.
 */
#include "forwarder/explain/check_rate_limit.h"

#include "test/config_text.h"
#include "test/suite.h"

#define UDP "listen: [{address: 127.0.0.1, transport: udp}]\n" UPSTREAM FILES
#define TCP "listen: [{address: 127.0.0.1, transport: tcp}]\n" UPSTREAM FILES

static const struct {
    const char *label;
    const char *yaml;
    const char *expected; /* a part of each line; "" is none */
} rows[] = {
    {"off", MINIMAL, ""},
    {"empty", MINIMAL "rate-limit: {slip: 0}\n", ""},
    {"sensible", MINIMAL "rate-limit: {answers: 5, queries: 20, slip: 1}\n", ""},
    {"nothing to exempt from", MINIMAL "rate-limit: {exempt: [192.0.2.1]}\n",
     "0:0: rate-limit.exempt without answers or queries: nothing is limited\n"},
    {"few answers", MINIMAL "rate-limit: {answers: 4}\n",
     "0:0: rate-limit.answers is less than 5 a second: honest clients of one network will share "
     "it\n"},
    {"few queries", MINIMAL "rate-limit: {queries: 19}\n",
     "0:0: rate-limit.queries is less than 20 a second: opening one web page may ask more\n"},
    {"no UDP", TCP "rate-limit: {answers: 100}\n",
     "0:0: rate-limit.answers is for plain UDP, and no listener has it\n"},
    {"no UDP to slip over", TCP "rate-limit: {queries: 100}\n", ""},
    {"no TCP", UDP "rate-limit: {queries: 100}\n",
     "0:0: rate-limit.slip leads clients to TCP, and no listener has it\n"},
    {"no TCP, and none wanted", UDP "rate-limit: {answers: 100, slip: 0}\n", ""},
};

START_TEST(warnings)
{
    char found[TEXT_MAX];
    struct problem_list problems;
    struct config *config = parse_good(rows[_i].yaml);
    problem_list_init(&problems);
    check_rate_limit(config, &problems);
    format_problems(&problems, PROBLEM_WARNING, found);
    ck_assert_msg(strcmp(found, rows[_i].expected) == 0, "%s: %s", rows[_i].label, found);
    ck_assert_uint_eq(problems.errors, 0);
    problem_list_fini(&problems);
    config_free(config);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("check_rate_limit");
    TCase *tcase = tcase_create("check_rate_limit");
    tcase_add_loop_test(tcase, warnings, 0, sizeof rows / sizeof *rows);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
