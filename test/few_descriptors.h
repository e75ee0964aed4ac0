/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A process that runs out of descriptors: how many more it may open, and whether a loop that cannot
 * open any keeps still.
 */
#pragma once

#include <check.h>
#include <sys/resource.h>
#include <unistd.h>

#include "test/loop.h"

/* Lets the process open so many more. Returns the limit before. */
static inline struct rlimit few_descriptors(unsigned more)
{
    struct rlimit before;
    int lowest = dup(STDERR_FILENO);
    ck_assert_int_ge(lowest, 0);
    close(lowest);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit few = {.rlim_cur = (rlim_t)lowest + more, .rlim_max = before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    return before;
}

static inline void enough_descriptors(struct rlimit before)
{
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* Runs the loop for a while, in which it must wait most of the time. */
static inline void loop_must_wait(struct event_base *base, unsigned ms)
{
    uint64_t end = loop_now_ms() + ms;
    unsigned rounds = 0;
    for (; loop_now_ms() < end; rounds++) {
        loop_round(base);
    }
    ck_assert_uint_lt(rounds, 2 * ms); /* of LOOP_ROUND_MS each, not of none */
}
