/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where the blocks of an order for a country are counted: for each order a few slots, one a country
 * that its scope can hold and one for all others, the slots of all orders in one row. Made with a
 * generation, immutable, asked by every worker without allocation, lock or system call.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "geo/country.h"

struct policy;

#define COUNTRY_SLOTS_WORDS (sizeof(struct country_set) / sizeof(uint64_t))

struct country_slots_order {
    struct country_set countries;       /* with the unknown one, always: it has the last slot */
    uint32_t base[COUNTRY_SLOTS_WORDS]; /* slot of the first country of each word */
    uint32_t end;                       /* behind the last slot */
};

struct country_slots {
    size_t total; /* slots of all orders */
    struct country_slots_order orders[];
};

/* For the orders of a policy that was loaded then; NULL when memory is out. */
struct country_slots *country_slots_new(const struct policy *policy, int64_t loaded);
void country_slots_free(struct country_slots *slots); /* NULL is allowed */

/* The slots of an order: from the first, up to before the end. */
uint32_t country_slots_first(const struct country_slots *slots, size_t order);
uint32_t country_slots_end(const struct country_slots *slots, size_t order);

/* How many bits are set. Not the compiler's builtin: where the processor may lack the instruction
 * that is a call. */
static inline uint32_t country_slots_ones(uint64_t word)
{
    const uint64_t ones = UINT64_MAX / 255;
    word -= word >> 1 & ones * 0x55;
    word = (word & ones * 0x33) + (word >> 2 & ones * 0x33);
    word = (word + (word >> 4)) & ones * 0x0f;
    return (uint32_t)(word * ones >> 56);
}

/* Inline, as each block is counted by it. A country that the order does not bind counts as unknown.
 */
static inline uint32_t country_slots_find(const struct country_slots *slots, size_t order,
                                          struct country country)
{
    const struct country_slots_order *of = &slots->orders[order];
    unsigned index = country_index(country);
    uint64_t word = of->countries.bits[index / 64];
    uint64_t bit = UINT64_C(1) << index % 64;
    if ((word & bit) == 0) {
        return of->end - 1;
    }
    return of->base[index / 64] + country_slots_ones(word & (bit - 1));
}
