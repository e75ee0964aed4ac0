/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How loads have gone (see reload_record.h).
 */
#include "forwarder/server/reload_record.h"

#include <string.h>

#include "forwarder/generation/generation.h"
#include "policy/policy.h"

void reload_record_begin(struct reload_record *record, uint64_t now_us)
{
    record->began_us = now_us;
}

void reload_record_end(struct reload_record *record, enum reload_outcome outcome, uint64_t now_us,
                       int64_t now)
{
    record->count[outcome]++;
    record->last = outcome;
    record->took_us = now_us - record->began_us;
    if (outcome == RELOAD_WHOLE) {
        record->succeeded = now;
    } else {
        record->failed = now;
    }
}

/* Read from the same octets? */
static bool same_order(const struct order *a, const struct order *b)
{
    bool same = strcmp(a->id, b->id) == 0 && a->list_count == b->list_count &&
                memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0;
    for (size_t i = 0; same && i < a->list_count; i++) {
        same = memcmp(a->lists[i].sha256, b->lists[i].sha256, sizeof a->lists[i].sha256) == 0;
    }
    return same;
}

/* Policies keep their orders sorted. */
static bool same_orders(const struct policy *a, const struct policy *b)
{
    bool same = policy_order_count(a) == policy_order_count(b);
    for (size_t i = 0; same && i < policy_order_count(a); i++) {
        same = same_order(policy_order(a, i), policy_order(b, i));
    }
    return same;
}

/* When the newest of its files was first loaded, which may be before this start; without any order,
 * when the generation was. */
static int64_t newest(const struct generation *generation)
{
    size_t count = policy_order_count(generation->policy);
    int64_t newest = count == 0 ? generation->loaded : 0;
    for (size_t i = 0; i < count; i++) {
        int64_t loaded = generation->orders[i].loaded;
        newest = loaded > newest ? loaded : newest;
    }
    return newest;
}

void reload_record_publish(struct reload_record *record, const struct generation *before,
                           const struct generation *after)
{
    if (before == NULL) {
        record->orders_changed = newest(after);
    } else if (!same_orders(before->policy, after->policy)) {
        record->orders_changed = after->loaded;
    }
}
