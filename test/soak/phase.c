/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Figures of a phase (see phase.h).
 */
#include "test/soak/phase.h"

#define FINE 16 /* buckets a power of two */

static unsigned bucket_of(uint64_t us)
{
    unsigned power = 0;
    while (us >> power >= 2 * FINE) {
        power++;
    }
    unsigned bucket = power * FINE + (unsigned)(us >> power);
    return bucket < PHASE_BUCKETS ? bucket : PHASE_BUCKETS - 1;
}

/* The greatest latency of a bucket. */
static uint64_t bucket_end(unsigned bucket)
{
    if (bucket < 2 * FINE) {
        return bucket;
    }
    unsigned power = bucket / FINE - 1;
    return ((uint64_t)(bucket - power * FINE + 1) << power) - 1;
}

void phase_note_latency(struct phase *phase, uint64_t us)
{
    phase->latencies[bucket_of(us)]++;
    if (us > phase->worst_us) {
        phase->worst_us = us;
    }
}

uint64_t phase_percentile(const struct phase *phase, double share)
{
    uint64_t left = (uint64_t)(share * (double)phase->answers);
    for (unsigned bucket = 0; bucket < PHASE_BUCKETS; bucket++) {
        if (phase->latencies[bucket] > left) {
            uint64_t end = bucket_end(bucket);
            return end < phase->worst_us ? end : phase->worst_us;
        }
        left -= phase->latencies[bucket];
    }
    return phase->worst_us;
}
