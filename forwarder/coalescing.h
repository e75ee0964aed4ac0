/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Datagrams cost least when many are received, sent and joined at once. A worker that keeps up
 * finds only a few each time it looks, and goes through the kernel for those. So, as network cards
 * moderate their interrupts, it pauses before it looks again where queries come so fast that the
 * pause brings several of them. Where they come more slowly none waits, and one that is behind
 * anyway finds full batches without a pause. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define COALESCING_QUERIES_PER_S 50000U /* from here on it pauses */
#define COALESCING_PAUSE_US 50U         /* the kernel may add its timer slack, 50 us by default */
#define COALESCING_SPAN_US 1000U        /* over which queries are counted, at least */

/* All zero at the start. */
struct coalescing {
    uint64_t since_us; /* monotonic: the queries were counted from then on */
    uint64_t queries;
    bool fast;   /* they came, in the span before */
    bool behind; /* a batch was full since it was last asked for a pause */
};

/* A batch of queries was handled, which was as large as it can be or not. */
static inline void coalescing_count(struct coalescing *coalescing, unsigned queries, bool full)
{
    coalescing->queries += queries;
    coalescing->behind = coalescing->behind || full;
}

/* Is a pause due, after what was handled in this turn of the loop? now_us: monotonic. */
bool coalescing_is_due(struct coalescing *coalescing, uint64_t now_us);

/* The thread sleeps for COALESCING_PAUSE_US. */
void coalescing_pause(void);
