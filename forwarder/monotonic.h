/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Time that only goes forward, whatever the clock of the day is set to: for how long things take
 * and when they are due. Since the machine was started; for functions that do not get it as an
 * argument.
 */
#pragma once

#include <stdint.h>
#include <time.h>

static inline uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static inline uint64_t monotonic_us(void)
{
    return monotonic_ns() / 1000U;
}

/* Signed: what is left of a deadline may be below zero. */
static inline int64_t monotonic_ms(void)
{
    return (int64_t)(monotonic_ns() / 1000000U);
}
