/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Counts by order id (see tally.h).
 */
#include "forwarder/server/tally.h"

#include "forwarder/generation/generation.h"
#include "forwarder/published.h"
#include "policy/policy.h"

bool tally_init(struct tally *tally)
{
    tally->blocked = json_object();
    tally->would_block = json_object();
    if (tally->blocked == NULL || tally->would_block == NULL) {
        tally_fini(tally);
        return false;
    }
    return true;
}

void tally_fini(struct tally *tally)
{
    json_decref(tally->blocked);
    json_decref(tally->would_block);
    tally->blocked = NULL;
    tally->would_block = NULL;
}

static void add(json_t *counts, const char *id, uint64_t count)
{
    if (count > 0) {
        json_int_t before = json_integer_value(json_object_get(counts, id));
        json_object_set_new(counts, id, json_integer(before + (json_int_t)count));
    }
}

void tally_fold(struct tally *tally, const struct published *published)
{
    const struct policy *policy = published->generation->policy;
    for (size_t i = 0; i < policy_order_count(policy); i++) {
        const char *id = policy_order(policy, i)->id;
        add(tally->blocked, id, published_blocked(published, i));
        add(tally->would_block, id, published_shadowed(published, i));
    }
}

bool tally_copy(const struct tally *tally, struct tally *out)
{
    out->blocked = json_deep_copy(tally->blocked);
    out->would_block = json_deep_copy(tally->would_block);
    if (out->blocked == NULL || out->would_block == NULL) {
        tally_fini(out);
        return false;
    }
    return true;
}
