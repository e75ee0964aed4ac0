/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is counted while one thing after the other is done to the daemon. A query counts in the
 * phase in which it was asked first.
 */
#pragma once

#include <stdint.h>

#define PHASE_NAME_MAX 32
#define PHASE_BUCKETS 512

struct phase {
    char name[PHASE_NAME_MAX];
    uint64_t queries;
    uint64_t answers;
    uint64_t wrong;
    uint64_t lost;
    uint64_t closed;   /* connections that ended with queries unanswered, with cause */
    uint64_t servfail; /* of the answers: right ones of this kind */
    uint64_t cut;
    uint64_t worst_us;
    uint64_t stood_us;                 /* the longest that the asker itself did not run */
    uint64_t latencies[PHASE_BUCKETS]; /* 16 for each power of two of microseconds */
};

void phase_note_latency(struct phase *phase, uint64_t us);

/* The latency, in microseconds, that this share of the answers did not exceed; within 7 %. */
uint64_t phase_percentile(const struct phase *phase, double share);
