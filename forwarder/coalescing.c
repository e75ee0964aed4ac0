/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * When a worker pauses (see coalescing.h).
 */
#include "forwarder/coalescing.h"

#include <time.h>

static bool is_fast(uint64_t queries, uint64_t span_us)
{
    return queries * 1000000U >= span_us * COALESCING_QUERIES_PER_S;
}

bool coalescing_is_due(struct coalescing *coalescing, uint64_t now_us)
{
    uint64_t span_us = now_us - coalescing->since_us;
    bool behind = coalescing->behind;
    if (span_us >= COALESCING_SPAN_US) {
        coalescing->fast = is_fast(coalescing->queries, span_us);
        coalescing->since_us = now_us;
        coalescing->queries = 0;
    }
    coalescing->behind = false;
    return coalescing->fast && !behind;
}

void coalescing_pause(void)
{
    const struct timespec pause = {.tv_nsec = COALESCING_PAUSE_US * 1000L};
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}
