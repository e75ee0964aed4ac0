/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How long something took, as counts by powers of two: written by one thread alone, read by others,
 * in plain loads and stores (counters.h). Bucket i counts what took at least 2^i and less than
 * 2^(i + 1) microseconds; the first one also what took none. So an answer from memory and one from
 * the other side of the world are both known within a factor of two.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS 32U /* as many as a duration has bits */

struct histogram {
    _Atomic uint64_t bucket[HISTOGRAM_BUCKETS];
    _Atomic uint64_t sum_us;
};

/* What was read of one or more histograms. */
struct histogram_sum {
    uint64_t bucket[HISTOGRAM_BUCKETS];
    uint64_t sum_us;
};

static inline unsigned histogram_index(uint32_t us)
{
    return 31U ^ (unsigned)__builtin_clz(us | 1U);
}

static inline void histogram_raise(_Atomic uint64_t *value, uint64_t by)
{
    atomic_store_explicit(value, atomic_load_explicit(value, memory_order_relaxed) + by,
                          memory_order_relaxed);
}

/* So many of them took us microseconds each. */
static inline void histogram_add(struct histogram *histogram, uint32_t us, uint32_t count)
{
    histogram_raise(&histogram->bucket[histogram_index(us)], count);
    histogram_raise(&histogram->sum_us, (uint64_t)us * count);
}

/* Adds what has been counted so far. */
void histogram_read(const struct histogram *histogram, struct histogram_sum *sum);

/* Adds to one what another has counted, whose owner counts no more. */
void histogram_fold(struct histogram *histogram, const struct histogram *from);

/* How many there were in all. */
uint64_t histogram_count(const struct histogram_sum *sum);
