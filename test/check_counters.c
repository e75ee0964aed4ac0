/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Counters: their names are what `bailiwick status` promises, and each counts for itself.
 */
#include "forwarder/counters.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Those that interfaces section 5 names. */
static const struct {
    enum counter counter;
    const char *name;
} PROMISED[] = {
    {COUNTER_QUERIES, "queries"},
    {COUNTER_FORWARDED, "forwarded"},
    {COUNTER_BLOCKED_ANSWERS, "blocked_answers"},
    {COUNTER_ANSWERS_READ, "answers_read"},
    {COUNTER_ANSWERS_UNREADABLE, "answers_unreadable"},
    {COUNTER_BLOCKED, "blocked"},
    {COUNTER_WOULD_BLOCK, "would_block"},
    {COUNTER_ANSWERED, "answered"},
    {COUNTER_SERVFAIL, "servfail"},
    {COUNTER_FORMERR, "formerr"},
    {COUNTER_DROPPED, "dropped"},
};

START_TEST(promised_names_are_kept)
{
    for (size_t i = 0; i < sizeof(PROMISED) / sizeof(PROMISED[0]); i++) {
        ck_assert_str_eq(counters_name(PROMISED[i].counter), PROMISED[i].name);
    }
}
END_TEST

START_TEST(every_counter_has_a_name_of_its_own)
{
    for (enum counter i = 0; i < COUNTERS; i++) {
        ck_assert_msg(counters_name(i) != NULL, "counter %d", (int)i);
        for (enum counter j = 0; j < i; j++) {
            ck_assert_str_ne(counters_name(i), counters_name(j));
        }
    }
}
END_TEST

START_TEST(adding_changes_one_counter)
{
    static struct counters counters;
    for (enum counter i = 0; i < COUNTERS; i++) {
        for (unsigned times = 0; times <= (unsigned)i; times++) {
            counters_add(&counters, i);
        }
    }
    for (enum counter i = 0; i < COUNTERS; i++) {
        ck_assert_uint_eq(atomic_load(&counters.value[i]), (unsigned)i + 1);
    }
    counters_bump(&counters.country[0].blocked);
    ck_assert_uint_eq(atomic_load(&counters.country[0].blocked), 1);
    ck_assert_uint_eq(atomic_load(&counters.country[0].queries), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("counters");
    TCase *tcase = tcase_create("counters");
    tcase_add_test(tcase, promised_names_are_kept);
    tcase_add_test(tcase, every_counter_has_a_name_of_its_own);
    tcase_add_test(tcase, adding_changes_one_counter);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
