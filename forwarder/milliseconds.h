/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Durations are milliseconds in the configuration and in the code, and timevals in libevent.
 */
#pragma once

#include <stdint.h>
#include <sys/time.h>

static inline struct timeval milliseconds(uint64_t ms)
{
    return (struct timeval){
        .tv_sec = (time_t)(ms / 1000),
        .tv_usec = (suseconds_t)(ms % 1000) * 1000,
    };
}
