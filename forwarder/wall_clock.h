/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The time of day by which orders are judged, and how far the system's clock is believed: not
 * if it is before the day on which this program was built. The clock's time comes as an argument;
 * nothing is asked of the system here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Seconds since the epoch: the date of debian/changelog, or SOURCE_DATE_EPOCH (see the Makefile).
 */
#define WALL_CLOCK_MADE ((int64_t)BAILIWICK_MADE)

/* One reader's; zero at first. */
struct wall_clock {
    int64_t lead; /* seconds from the monotonic clock to the last time of day that was believed */
    bool wrong;   /* the last one was not */
};

/* Can it be this time? */
static inline bool wall_clock_believable(int64_t seconds)
{
    return seconds >= WALL_CLOCK_MADE;
}

/* The time to judge by: that of the system's clock or, while it cannot be right, the last time that
 * could, plus what has passed since by the monotonic clock. So no order begins or ends by a wrong
 * clock. */
static inline int64_t wall_clock_judge(struct wall_clock *clock, int64_t system, int64_t monotonic)
{
    clock->wrong = !wall_clock_believable(system);
    if (!clock->wrong) {
        clock->lead = system - monotonic;
        return system;
    }
    int64_t derived = monotonic + clock->lead;
    return wall_clock_believable(derived) ? derived : WALL_CLOCK_MADE;
}
