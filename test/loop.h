/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An event loop driven by a test: it runs until a condition holds, and never for long. What the
 * test does by hand, on sockets of its own, happens between two rounds.
 */
#pragma once

#include <check.h>
#include <event2/event.h>
#include <poll.h>
#include <time.h>

#define LOOP_LIMIT_MS 20000 /* an assertion fails after that: much more than any test needs */
#define LOOP_ROUND_MS 2     /* the condition is looked at so often at least */
#define LOOP_COARSE_MS 10   /* libevent's clock is coarse: a timer may fire so much too early */

static inline uint64_t loop_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000U + (uint64_t)now.tv_nsec / 1000000U;
}

static inline void loop_ignore(evutil_socket_t descriptor, short what, void *ctx)
{
    (void)descriptor;
    (void)what;
    (void)ctx;
}

/* Handles what happens, or nothing for LOOP_ROUND_MS. */
static inline void loop_round(struct event_base *base)
{
    struct timeval delay = {.tv_usec = LOOP_ROUND_MS * 1000};
    ck_assert_int_eq(event_base_once(base, -1, EV_TIMEOUT, loop_ignore, NULL, &delay), 0);
    ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
}

#define LOOP_UNTIL(base, condition)                                                         \
    do {                                                                                    \
        uint64_t loop_limit = loop_now_ms() + LOOP_LIMIT_MS;                                \
        while (!(condition)) {                                                              \
            ck_assert_msg(loop_now_ms() < loop_limit, "waited in vain for %s", #condition); \
            loop_round(base);                                                               \
        }                                                                                   \
    } while (0)

/* Runs the loop for a while: for what must not happen. */
static inline void loop_for(struct event_base *base, unsigned ms)
{
    uint64_t end = loop_now_ms() + ms;
    do {
        loop_round(base);
    } while (loop_now_ms() < end);
}

/* Would reading this descriptor not block? True at its end, too. */
static inline bool loop_readable(int descriptor)
{
    struct pollfd entry = {.fd = descriptor, .events = POLLIN};
    return poll(&entry, 1, 0) == 1;
}
