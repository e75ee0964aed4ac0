/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rates of keys (see rate_table.h): a count-min sketch of leaky buckets. A counter is the time, in
 * nanoseconds, at which what was given so far will have been paid for at the rate; it is a second
 * ahead of the clock where all is used up. So nothing has to decay, and a fresh table is all zeros.
 */
#include "forwarder/rate_table.h"

#include <stdatomic.h>
#include <stdlib.h>

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

struct rate_table {
    struct keyed_hash_key secret;
    _Atomic uint64_t paid[RATE_TABLE_ROWS][RATE_TABLE_WIDTH];
};

struct rate_table *rate_table_new(const struct keyed_hash_key *secret)
{
    struct rate_table *table = calloc(1, sizeof *table);
    if (table != NULL) {
        table->secret = *secret;
    }
    return table;
}

void rate_table_free(struct rate_table *table)
{
    free(table);
}

/* The key's counters, one in each row. */
static void find(struct rate_table *table, const struct rate_key *key,
                 _Atomic uint64_t *counters[static RATE_TABLE_ROWS])
{
    uint64_t hash = keyed_hash(&table->secret, key->first, key->second);
    uint32_t at = (uint32_t)hash;
    uint32_t step = (uint32_t)(hash >> 32) | 1U; /* odd: each row a place of its own */
    for (unsigned row = 0; row < RATE_TABLE_ROWS; row++) {
        counters[row] = &table->paid[row][(at + row * step) % RATE_TABLE_WIDTH];
    }
}

/* The counter that others raised least: none says less than is true of the key. */
static uint64_t least(_Atomic uint64_t *const counters[static RATE_TABLE_ROWS])
{
    uint64_t lowest = UINT64_MAX;
    for (unsigned row = 0; row < RATE_TABLE_ROWS; row++) {
        uint64_t paid = atomic_load_explicit(counters[row], memory_order_relaxed);
        lowest = paid < lowest ? paid : lowest;
    }
    return lowest;
}

/* Never lowers it: a thread that was paused in here must not give again what others gave since. */
static void raise_to(_Atomic uint64_t *counter, uint64_t paid)
{
    uint64_t seen = atomic_load_explicit(counter, memory_order_relaxed);
    while (seen < paid && !atomic_compare_exchange_weak_explicit(
                              counter, &seen, paid, memory_order_relaxed, memory_order_relaxed)) {
    }
}

bool rate_table_take(struct rate_table *table, const struct rate_key *key, uint32_t rate,
                     uint64_t now_ms)
{
    _Atomic uint64_t *counters[RATE_TABLE_ROWS];
    const uint64_t now = now_ms * NS_PER_MS;
    const uint64_t price = NS_PER_S / rate;
    find(table, key, counters);
    uint64_t paid = least(counters);
    paid = (paid < now ? now : paid) + price;
    if (paid > now + rate * price) {
        return false;
    }
    for (unsigned row = 0; row < RATE_TABLE_ROWS; row++) {
        raise_to(counters[row], paid);
    }
    return true;
}
