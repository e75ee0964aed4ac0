/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Metrics of orders (see metrics_orders.h).
 */
#include "forwarder/server/metrics_orders.h"

#include <jansson.h>

#include "forwarder/generation/generation.h"
#include "forwarder/server/metrics_text.h"
#include "forwarder/server/reload_record.h"
#include "forwarder/server/status.h"
#include "forwarder/server/tally.h"
#include "policy/policy.h"

enum state {
    IN_FORCE,
    WAITING, /* active, and now is before its first instant or outside its windows */
    ENDED,
    SUSPENDED,
    LIFTED,
    STATES,
};

static enum state state_of(const struct order *order, int64_t now)
{
    switch (order->status) {
    case ORDER_SUSPENDED:
        return SUSPENDED;
    case ORDER_LIFTED:
        return LIFTED;
    case ORDER_ACTIVE:
        break;
    }
    return policy_order_in_force(order, now) ? IN_FORCE : order->end <= now ? ENDED : WAITING;
}

/* Does a review make sense, and is one asked for? */
static bool has_review(const struct order *order, int64_t now)
{
    enum state state = state_of(order, now);
    return order->review != ORDER_FOR_GOOD && state != ENDED && state != LIFTED;
}

static void write_states(struct metrics_text *text, const struct status_view *view)
{
    static const char *const names[STATES] = {
        [IN_FORCE] = "in_force",   [WAITING] = "waiting", [ENDED] = "ended",
        [SUSPENDED] = "suspended", [LIFTED] = "lifted",
    };
    const struct policy *policy = view->generation->policy;
    uint64_t counts[STATES] = {0};
    for (size_t i = 0; i < policy_order_count(policy); i++) {
        counts[state_of(policy_order(policy, i), view->now)]++;
    }
    metrics_text_family(text, METRICS_GAUGE, "bailiwick_orders",
                        "Orders: in_force; waiting for their first instant or a window; ended; "
                        "suspended; lifted.");
    for (size_t i = 0; i < STATES; i++) {
        metrics_text_count(text, METRICS_LABELS({"state", names[i]}), counts[i]);
    }
}

static void write_reviews(struct metrics_text *text, const struct status_view *view)
{
    const struct policy *policy = view->generation->policy;
    uint64_t past = 0;
    metrics_text_family(text, METRICS_GAUGE, "bailiwick_order_review_timestamp_seconds",
                        "When an order is due for review, if it has not ended.");
    for (size_t i = 0; i < policy_order_count(policy); i++) {
        const struct order *order = policy_order(policy, i);
        if (has_review(order, view->now)) {
            past += order->review <= view->now ? 1 : 0;
            metrics_text_real(text, METRICS_LABELS({"order", order->id}), (double)order->review);
        }
    }
    metrics_text_family(text, METRICS_GAUGE, "bailiwick_orders_past_review",
                        "Orders that were due for review before now.");
    metrics_text_count(text, NULL, past);
}

/* Orders that have counted nothing yet have a sample too, so that a first block is seen as a rise.
 */
static json_t *with_zeros(const json_t *counts, const struct policy *policy, bool shadow)
{
    json_t *all = json_copy((json_t *)counts);
    for (size_t i = 0; all != NULL && i < policy_order_count(policy); i++) {
        const struct order *order = policy_order(policy, i);
        bool counted = shadow == (order->action == ORDER_SHADOW);
        if (counted && json_object_get(all, order->id) == NULL &&
            json_object_set_new(all, order->id, json_integer(0)) != 0) {
            json_decref(all);
            return NULL;
        }
    }
    return all;
}

static void write_tally(struct metrics_text *text, json_t *counts)
{
    const char *id;
    json_t *count;
    text->whole = text->whole && counts != NULL;
    json_object_foreach(counts, id, count)
    {
        metrics_text_count(text, METRICS_LABELS({"order", id}),
                           (uint64_t)json_integer_value(count));
    }
    json_decref(counts);
}

static void write_tallies(struct metrics_text *text, const struct status_view *view)
{
    const struct policy *policy = view->generation->policy;
    metrics_text_family(text, METRICS_COUNTER, "bailiwick_order_blocked_total",
                        "Queries that an order blocked.");
    write_tally(text, with_zeros(view->tally->blocked, policy, false));
    metrics_text_family(text, METRICS_COUNTER, "bailiwick_order_would_block_total",
                        "Queries that an order with action shadow would have blocked.");
    write_tally(text, with_zeros(view->tally->would_block, policy, true));
}

void metrics_orders_write(struct metrics_text *text, const struct status_view *view)
{
    write_states(text, view);
    write_reviews(text, view);
    metrics_text_family(text, METRICS_GAUGE, "bailiwick_orders_changed_timestamp_seconds",
                        "When the orders and their lists last became other ones.");
    metrics_text_real(text, NULL, (double)view->reloads->orders_changed);
    metrics_text_family(text, METRICS_GAUGE, "bailiwick_names",
                        "Names that the orders and their lists give.");
    metrics_text_count(text, NULL, policy_names(view->generation->policy));
    write_tallies(text, view);
}
