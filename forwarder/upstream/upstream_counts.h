/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What happens with one upstream server in one worker, as numbers: written by that worker alone,
 * read by whoever reports. Answers are those that latency has counted.
 */
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include "forwarder/histogram.h"

#define UPSTREAM_COUNTS_ALIGNMENT 64 /* those of two workers never share a cache line */

struct upstream_counts {
    alignas(UPSTREAM_COUNTS_ALIGNMENT) _Atomic uint32_t outstanding; /* attempts that wait now */
    _Atomic uint64_t queries;                                        /* attempts made */
    _Atomic uint64_t timeouts; /* attempts without an answer when their query was given up */
    struct histogram latency;  /* from an attempt until its answer was read */
};

/* The same, over all workers. */
struct upstream_counts_sum {
    uint64_t outstanding;
    uint64_t queries;
    uint64_t timeouts;
    struct histogram_sum latency;
};
