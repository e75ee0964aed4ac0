/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A generation and each worker's share in it (see published.h).
 */
#include "forwarder/published.h"

#include <stdlib.h>

#include "forwarder/generation/generation.h"
#include "policy/policy.h"

struct published *published_new(struct generation *generation, size_t workers)
{
    size_t orders = policy_order_count(generation->policy);
    struct published *published =
        calloc(1, sizeof(*published) + workers * sizeof(published->shares[0]));
    if (published == NULL) {
        return NULL;
    }
    published->share_count = workers;
    published->number = generation->number;
    for (size_t i = 0; i < workers; i++) {
        struct published_share *share = &published->shares[i];
        share->blocked = calloc(orders + 1, sizeof(*share->blocked));
        share->shadowed = calloc(orders + 1, sizeof(*share->shadowed));
        if (share->blocked == NULL || share->shadowed == NULL) {
            published_free(published);
            return NULL;
        }
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
    free(published);
}

uint64_t published_blocked(const struct published *published, size_t order)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < published->share_count; i++) {
        sum += atomic_load_explicit(&published->shares[i].blocked[order], memory_order_relaxed);
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
