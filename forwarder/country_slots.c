/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Slots of orders and countries (see country_slots.h).
 */
#include "forwarder/country_slots.h"

#include <stdlib.h>

#include "policy/policy.h"

/* Every country of which the scope may hold a client, now or later. */
static struct country_set countries_of(const struct order_scope *scope, int64_t loaded)
{
    struct country_set set = scope->countries;
    for (unsigned group = 0; group < COUNTRY_GROUPS; group++) {
        struct country_set members = {{0}};
        if (scope->groups[group]) {
            country_group_members_since((enum country_group)group, loaded, &members);
        }
        for (size_t word = 0; word < COUNTRY_SLOTS_WORDS; word++) {
            set.bits[word] |= members.bits[word];
        }
    }
    for (size_t i = 0; i < scope->subdivision_count; i++) {
        country_set_add(&set, scope->subdivisions[i].country);
    }
    set.bits[COUNTRY_INDEX_UNKNOWN / 64] |= UINT64_C(1) << COUNTRY_INDEX_UNKNOWN % 64;
    return set;
}

struct country_slots *country_slots_new(const struct policy *policy, int64_t loaded)
{
    size_t count = policy_order_count(policy);
    struct country_slots *slots = calloc(1, sizeof *slots + count * sizeof slots->orders[0]);
    if (slots == NULL) {
        return NULL;
    }
    uint32_t next = 0;
    for (size_t i = 0; i < count; i++) {
        struct country_slots_order *order = &slots->orders[i];
        order->countries = countries_of(&policy_order(policy, i)->scope, loaded);
        for (size_t word = 0; word < COUNTRY_SLOTS_WORDS; word++) {
            order->base[word] = next;
            next += country_slots_ones(order->countries.bits[word]);
        }
        order->end = next;
    }
    slots->total = next;
    return slots;
}

void country_slots_free(struct country_slots *slots)
{
    free(slots);
}

uint32_t country_slots_first(const struct country_slots *slots, size_t order)
{
    return slots->orders[order].base[0];
}

uint32_t country_slots_end(const struct country_slots *slots, size_t order)
{
    return slots->orders[order].end;
}
