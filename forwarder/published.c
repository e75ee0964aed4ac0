/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A generation and each worker's share in it (see published.h).
 */
#include "forwarder/published.h"

#include <stdlib.h>

#include "forwarder/country_slots.h"
#include "forwarder/generation/generation.h"
#include "policy/policy.h"

static bool make_share(struct published_share *share, size_t slots, size_t orders)
{
    share->blocked = calloc(slots + 1, sizeof *share->blocked);
    share->shadowed = calloc(orders + 1, sizeof *share->shadowed);
    return share->blocked != NULL && share->shadowed != NULL;
}

static bool make_counts(struct published *published, const struct generation *generation)
{
    published->slots = country_slots_new(generation->policy, generation->loaded);
    if (published->slots == NULL) {
        return false;
    }
    size_t slots = published->slots->total;
    published->stored = calloc(slots + 1, sizeof *published->stored);
    bool made = published->stored != NULL;
    for (size_t i = 0; made && i < published->share_count; i++) {
        made = make_share(&published->shares[i], slots, policy_order_count(generation->policy));
    }
    return made;
}

struct published *published_new(struct generation *generation, size_t workers)
{
    struct published *published =
        calloc(1, sizeof *published + workers * sizeof published->shares[0]);
    if (published == NULL) {
        return NULL;
    }
    published->share_count = workers;
    published->number = generation->number;
    if (!make_counts(published, generation)) {
        published_free(published);
        return NULL;
    }
    published->generation = generation;
    return published;
}

void published_free(struct published *published)
{
    if (published == NULL) {
        return;
    }
    for (size_t i = 0; i < published->share_count; i++) {
        free(published->shares[i].blocked);
        free(published->shares[i].shadowed);
    }
    generation_free(published->generation);
    country_slots_free(published->slots);
    free(published->stored);
    free(published);
}

uint64_t published_blocked_in(const struct published *published, uint32_t slot)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < published->share_count; i++) {
        sum += atomic_load_explicit(&published->shares[i].blocked[slot], memory_order_relaxed);
    }
    return sum;
}

uint64_t published_blocked(const struct published *published, size_t order)
{
    uint64_t sum = 0;
    uint32_t end = country_slots_end(published->slots, order);
    for (uint32_t slot = country_slots_first(published->slots, order); slot < end; slot++) {
        sum += published_blocked_in(published, slot);
    }
    return sum;
}

uint64_t published_shadowed(const struct published *published, size_t order)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < published->share_count; i++) {
        sum += atomic_load_explicit(&published->shares[i].shadowed[order], memory_order_relaxed);
    }
    return sum;
}
