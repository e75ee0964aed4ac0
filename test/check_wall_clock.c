/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How far the system's clock is believed.
 */
#include "forwarder/wall_clock.h"

#include <check.h>
#include <stdlib.h>
#include <time.h>

#include "test/suite.h"

#define MADE WALL_CLOCK_MADE

/* Readings one after the other, of one clock: what it says when so much time has really passed. */
static const struct {
    const char *label;
    int64_t system;
    int64_t monotonic;
    int64_t taken;
    bool wrong;
} READINGS[] = {
    {"right", MADE + 1000, 50, MADE + 1000, false},
    {"some time later", MADE + 1010, 60, MADE + 1010, false},
    {"set back a little", MADE + 900, 61, MADE + 900, false},
    {"set forward", MADE + 5000, 62, MADE + 5000, false},
    {"at the epoch", 0, 70, MADE + 5008, true},
    {"before it", -5, 80, MADE + 5018, true},
    {"a second too early", MADE - 1, 90, MADE + 5028, true},
    {"just late enough", MADE, 100, MADE, false},
    {"at the epoch again", 7, 101, MADE + 1, true},
};

START_TEST(a_clock_is_believed_as_far_as_it_can_be)
{
    struct wall_clock clock = {0};
    for (size_t i = 0; i < ROWS(READINGS); i++) {
        int64_t taken = wall_clock_judge(&clock, READINGS[i].system, READINGS[i].monotonic);
        ck_assert_msg(taken == READINGS[i].taken, "%s: %lld", READINGS[i].label, (long long)taken);
        ck_assert_msg(clock.wrong == READINGS[i].wrong, "%s", READINGS[i].label);
    }
}
END_TEST

START_TEST(a_clock_that_was_never_right_begins_when_this_was_made)
{
    struct wall_clock clock = {0};
    ck_assert_int_eq(wall_clock_judge(&clock, 0, 12345), MADE);
    ck_assert(clock.wrong);
    ck_assert(!wall_clock_believable(MADE - 1) && wall_clock_believable(MADE));
}
END_TEST

/* 2026-01-01: the Makefile found a date, and one that has come. */
START_TEST(this_was_made_some_day)
{
    ck_assert_int_gt(MADE, 1767225600);
    ck_assert(wall_clock_believable((int64_t)time(NULL)));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wall_clock");
    TCase *tcase = tcase_create("wall_clock");
    tcase_add_test(tcase, a_clock_is_believed_as_far_as_it_can_be);
    tcase_add_test(tcase, a_clock_that_was_never_right_begins_when_this_was_made);
    tcase_add_test(tcase, this_was_made_some_day);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
