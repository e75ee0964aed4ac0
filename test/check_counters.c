/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Counters: their names are what `bailiwick status` promises, and each counts for itself.
 */
#include "forwarder/counters.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "test/suite.h"

/* Those that bailiwickd(8) names. */
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
    for (size_t i = 0; i < sizeof PROMISED / sizeof PROMISED[0]; i++) {
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

START_TEST(every_counter_is_explained)
{
    for (enum counter i = 0; i < COUNTERS; i++) {
        const char *help = counters_help(i);
        ck_assert_msg(help != NULL, "%s", counters_name(i));
        ck_assert_msg(help[strlen(help) - 1] == '.', "%s: a sentence", help);
    }
}
END_TEST

START_TEST(transports_count_apart)
{
    static struct counters counters;
    const struct span refused = {(const uint8_t[12]){0, 0, 0x81, 0x85, 0, 1}, 12};
    const struct span noerror = {(const uint8_t[12]){0, 0, 0x81, 0x80}, 12};
    counters_answered(&counters, 1, refused);
    counters_answered(&counters, 1, refused);
    counters_answered(&counters, 2, noerror);
    ck_assert_uint_eq(counters.answers[1][5], 2);
    ck_assert_uint_eq(counters.answers[2][0], 1);
    ck_assert_uint_eq(counters.answers[2][5], 0);
    counters_connected(&counters, 3, 1);
    counters_connected(&counters, 3, 1);
    counters_connected(&counters, 3, -1);
    ck_assert_uint_eq(counters.connections[3], 1);
    counters_bump(&counters.queries[1]);
    counters_bump(&counters.queries[4]);
    ck_assert_uint_eq(counters_read(&counters, COUNTER_QUERIES), 2);
    counters_took(&counters, 4, 9, 64);
    ck_assert_uint_eq(counters.own[4].bucket[3], 64);
    ck_assert_uint_eq(counters.own[4].sum_us, 9 * 64);
}
END_TEST

#define HEADER(rcode, answers, additional) \
    0, 0, 0x81, 0x80 | (rcode), 0, 1, 0, (answers), 0, 0, 0, (additional)
#define QUESTION 0, 0, 1, 0, 1
#define RECORD 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0
#define OPT(upper) 0, 0, 41, 0x04, 0xd0, (upper), 0, 0, 0, 0, 0

/* The upper bits of a rcode stand in the OPT. */
START_TEST(extended_rcodes)
{
    static const struct {
        const char *label;
        size_t size;
        uint8_t message[64];
        unsigned index;
    } rows[] = {
        {"NOERROR", 28, {HEADER(0, 0, 1), QUESTION, OPT(0)}, 0},
        {"BADVERS", 28, {HEADER(0, 0, 1), QUESTION, OPT(1)}, COUNTERS_RCODE_BADVERS},
        {"BADCOOKIE", 28, {HEADER(7, 0, 1), QUESTION, OPT(1)}, COUNTERS_RCODE_BADCOOKIE},
        {"BADVERS behind another record",
         39,
         {HEADER(0, 0, 2), QUESTION, RECORD, OPT(1)},
         COUNTERS_RCODE_BADVERS},
        {"YXRRSET", 28, {HEADER(7, 0, 1), QUESTION, OPT(0)}, 7},
        {"no OPT", 17, {HEADER(7, 0, 0), QUESTION}, 7},
        {"a rcode that nobody knows", 28, {HEADER(0, 0, 1), QUESTION, OPT(2)}, 0},
        {"with an answer it is none", 39, {HEADER(0, 1, 1), QUESTION, RECORD, OPT(1)}, 0},
        {"cut in the OPT", 22, {HEADER(0, 0, 1), QUESTION, OPT(1)}, 0},
        {"a header alone", 12, {HEADER(0, 0, 1)}, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct counters *counters = calloc(1, sizeof *counters);
        counters_answered(counters, 0, (struct span){rows[i].message, rows[i].size});
        ck_assert_msg(counters->answers[0][rows[i].index] == 1, "%s", rows[i].label);
        free(counters);
    }
}
END_TEST

START_TEST(sums_hold_what_both_counted)
{
    static struct counters sum, other;
    const struct span refused = {(const uint8_t[12]){0, 0, 0x81, 0x85}, 12};
    counters_asked(&sum, 2);
    counters_asked(&other, 2);
    counters_asked(&other, 4);
    counters_add(&other, COUNTERS - 1);
    counters_answered(&other, 4, refused);
    counters_connected(&other, 4, 1);
    counters_took(&sum, 1, 9, 1);
    counters_took(&other, 1, 9, 2);
    counters_bump(&other.country[COUNTRY_INDEXES - 1].queries);
    counters_bump(&other.country[3].blocked);
    counters_fold(&sum, &other);
    ck_assert_uint_eq(counters_read(&sum, COUNTER_QUERIES), 3);
    ck_assert_uint_eq(counters_read(&sum, COUNTERS - 1), 1);
    ck_assert_uint_eq(sum.queries[2], 2);
    ck_assert_uint_eq(sum.answers[4][5], 1);
    ck_assert_uint_eq(sum.own[1].bucket[3], 3);
    ck_assert_uint_eq(sum.own[1].sum_us, 27);
    ck_assert_uint_eq(sum.country[COUNTRY_INDEXES - 1].queries, 1);
    ck_assert_uint_eq(sum.country[3].blocked, 1);
    ck_assert_uint_eq(sum.connections[4], 0); /* of who counts no more none is open */
    ck_assert_uint_eq(counters_read(&other, COUNTER_QUERIES), 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("counters");
    TCase *tcase = tcase_create("counters");
    tcase_add_test(tcase, promised_names_are_kept);
    tcase_add_test(tcase, every_counter_has_a_name_of_its_own);
    tcase_add_test(tcase, adding_changes_one_counter);
    tcase_add_test(tcase, every_counter_is_explained);
    tcase_add_test(tcase, transports_count_apart);
    tcase_add_test(tcase, extended_rcodes);
    tcase_add_test(tcase, sums_hold_what_both_counted);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
