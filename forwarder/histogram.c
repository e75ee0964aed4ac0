/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reading histograms (see histogram.h).
 */
#include "forwarder/histogram.h"

void histogram_read(const struct histogram *histogram, struct histogram_sum *sum)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        sum->bucket[i] += atomic_load_explicit(&histogram->bucket[i], memory_order_relaxed);
    }
    sum->sum_us += atomic_load_explicit(&histogram->sum_us, memory_order_relaxed);
}

void histogram_fold(struct histogram *histogram, const struct histogram *from)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        histogram_raise(&histogram->bucket[i],
                        atomic_load_explicit(&from->bucket[i], memory_order_relaxed));
    }
    histogram_raise(&histogram->sum_us, atomic_load_explicit(&from->sum_us, memory_order_relaxed));
}

uint64_t histogram_count(const struct histogram_sum *sum)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        count += sum->bucket[i];
    }
    return count;
}
