/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A worker pauses where queries come fast and it keeps up, and nowhere else.
 */
#include "forwarder/coalescing.h"

#include <stddef.h>

#include "forwarder/monotonic.h"
#include "test/suite.h"

#define BEGUN_US 5000000U

/* Turns of the loop at an even pace, each with as many queries; the last one is asked. */
static const struct {
    const char *label;
    unsigned turns;
    unsigned each_us;
    unsigned queries;
    bool full;
    bool due;
} paces[] = {
    {"nothing has come", 1, 0, 0, false, false},
    {"one query", 1, 0, 1, false, false},
    {"1,000 a second", 100, 1000, 1, false, false},
    {"just too slow", 1000, 100, 4, false, false},
    {"as fast as it needs", 1000, 100, 5, false, true},
    {"faster, few at once", 1000, 20, 2, false, true},
    {"a batch at once, seldom", 100, 10000, 64, true, false},
    {"behind: batches are full", 1000, 500, 64, true, false},
    {"a first burst is no pace", 2, 10, 60, false, false},
};

START_TEST(queries_that_come_fast_are_waited_for)
{
    struct coalescing coalescing = {0};
    uint64_t now_us = BEGUN_US;
    bool due = false;
    for (unsigned i = 0; i < paces[_i].turns; i++) {
        coalescing_count(&coalescing, paces[_i].queries, paces[_i].full);
        due = coalescing_is_due(&coalescing, now_us);
        now_us += paces[_i].each_us;
    }
    ck_assert_msg(due == paces[_i].due, "%s", paces[_i].label);
}
END_TEST

static struct coalescing fast_at(uint64_t now_us)
{
    struct coalescing coalescing = {.since_us = now_us - COALESCING_SPAN_US};
    coalescing_count(&coalescing, 100, false);
    ck_assert(coalescing_is_due(&coalescing, now_us));
    return coalescing;
}

START_TEST(what_was_fast_is_forgotten)
{
    struct coalescing coalescing = fast_at(BEGUN_US);
    coalescing_count(&coalescing, 1, false);
    ck_assert(!coalescing_is_due(&coalescing, BEGUN_US + 60U * 1000000U));
}
END_TEST

START_TEST(a_full_batch_puts_off_one_pause)
{
    struct coalescing coalescing = fast_at(BEGUN_US);
    coalescing_count(&coalescing, 64, true);
    coalescing_count(&coalescing, 3, false); /* of another socket, in the same turn */
    ck_assert(!coalescing_is_due(&coalescing, BEGUN_US + 10));
    ck_assert(coalescing_is_due(&coalescing, BEGUN_US + 20));
}
END_TEST

START_TEST(a_pause_takes_its_time)
{
    uint64_t before_us = monotonic_us();
    coalescing_pause();
    ck_assert_uint_ge(monotonic_us() - before_us, COALESCING_PAUSE_US);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("coalescing");
    TCase *tcase = tcase_create("coalescing");
    tcase_add_loop_test(tcase, queries_that_come_fast_are_waited_for, 0, ROWS(paces));
    tcase_add_test(tcase, what_was_fast_is_forgotten);
    tcase_add_test(tcase, a_full_batch_puts_off_one_pause);
    tcase_add_test(tcase, a_pause_takes_its_time);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
