/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a policy holds, whatever the question: its orders, whether any of them binds where a client
 * is, and until when that is so. No name is read here, but to ask memory for it.
 */
#include "policy/policy.h"

#include <stdlib.h>

#include "policy/order_window.h"
#include "policy/policy_layout.h"

size_t policy_order_count(const struct policy *policy)
{
    return policy->count;
}

const struct order *policy_order(const struct policy *policy, size_t index)
{
    return policy->orders[index];
}

bool policy_order_in_force(const struct order *order, int64_t now)
{
    return order->status == ORDER_ACTIVE && order->effective <= now && now < order->end &&
           order_window_open(order, now);
}

size_t policy_names(const struct policy *policy)
{
    size_t names = 0;
    for (size_t i = 0; i < policy->count; i++) {
        const struct order *order = policy->orders[i];
        names += order->name_count + order->any_tld_count;
        for (size_t l = 0; l < order->list_count; l++) {
            names += name_list_count(order->lists[l].names);
        }
    }
    return names;
}

int64_t policy_next_change(const struct policy *policy, int64_t now)
{
    int64_t next = ORDER_FOR_GOOD;
    for (size_t i = 0; i < policy->count; i++) {
        const struct order *order = policy->orders[i];
        if (order->status != ORDER_ACTIVE) {
            continue;
        }
        if (order->effective > now && order->effective < next) {
            next = order->effective;
        }
        if (order->end > now && order->end < next) {
            next = order->end;
        }
    }
    return next;
}

/* Does an order bind one of the parts that a client lies in? Apart, so that those whose countries
 * are bound whole or not at all do not pay for it. */
static __attribute__((noinline)) bool binds_within(const struct policy_ends *ends,
                                                   const struct place *place, int64_t now)
{
    for (unsigned level = 0; level < SUBDIVISION_LEVELS; level++) {
        struct subdivision part = subdivisions_at(&place->within, place->country, level);
        const struct policy_end_within *found =
            bsearch(&part, ends->within, ends->count, sizeof *ends->within, subdivision_compare);
        if (found != NULL && now < found->end) {
            return true;
        }
    }
    return false;
}

static bool binds_at(const struct policy_ends *ends, const struct place *place, int64_t now)
{
    unsigned index = country_index(place->country);
    if (now >= ends->any[index]) {
        return false;
    }
    return now < ends->whole[index] || binds_within(ends, place, now);
}

bool policy_in_scope(const struct policy *policy, const struct place *place, int64_t now)
{
    return binds_at(&policy->scope, place, now);
}

bool policy_reads_answers(const struct policy *policy, const struct place *place, int64_t now)
{
    return binds_at(&policy->answers, place, now);
}

bool policy_has_shadows(const struct policy *policy, struct country country, int64_t now)
{
    return now < policy->shadows.any[country_index(country)];
}

bool policy_has_large_lists(const struct policy *policy)
{
    return policy->large_lists;
}

/* The maps of all lists that are asked for a client of this country. */
struct maps {
    const struct suffix_map *const *at;
    const struct suffix_map *const *end;
};

static struct maps maps_of(const struct policy *policy, struct country country)
{
    const struct policy_maps *rows = &policy->maps;
    const unsigned row = country_index(country);
    return (struct maps){rows->maps + rows->first[row], rows->maps + rows->first[row + 1]};
}

void policy_prepare(const struct policy *policy, struct country country, const struct dname *qname,
                    struct policy_prepared *out)
{
    suffix_keys_init(&out->keys, qname, policy->seed);
    out->listed = (struct suffix_depths){{UINT64_MAX, UINT64_MAX}};
    for (struct maps maps = maps_of(policy, country); maps.at < maps.end; maps.at++) {
        suffix_map_prefetch(*maps.at, &out->keys);
    }
}

void policy_sift(const struct policy *policy, struct country country,
                 struct policy_prepared *prepared)
{
    prepared->listed = (struct suffix_depths){{0}};
    for (struct maps maps = maps_of(policy, country); maps.at < maps.end; maps.at++) {
        suffix_map_sift(*maps.at, &prepared->keys, &prepared->listed);
    }
}
