/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The naive policy: orders one after the other, names one after the other, no map, no index, no
 * precomputed scope. Slow and plain, so that the clever one can be held against it. It knows the
 * names of a list because the test that wrote the list tells it.
 */
#pragma once

#include "policy/policy.h"

#include <string.h>

#define MODEL_NAMES_MAX 32
#define MODEL_NETWORKS_MAX 4
#define MODEL_ORDERS_MAX 12

struct model_order {
    struct order *order;                      /* id, dates, status, action, scope */
    struct order_name names[MODEL_NAMES_MAX]; /* of the file and of the lists */
    size_t name_count;
    struct network networks[MODEL_NETWORKS_MAX]; /* excepted */
    size_t network_count;
};

struct model_verdict {
    bool names_it; /* the order names the qname */
    struct policy_match match;
};

static inline bool model_strictly_within(const struct dname *name, const struct dname *above)
{
    return dname_within(name, above) && !dname_equal(name, above);
}

static inline bool model_covers(const struct order_name *name, const struct dname *qname)
{
    return (name->kind == NAME_SUBTREE && dname_within(qname, &name->name)) ||
           (name->kind == NAME_EXACT && dname_equal(qname, &name->name));
}

/* The longest name of the order that covers the qname, whatever its exceptions say. */
static inline void model_longest(const struct model_order *order, const struct dname *qname,
                                 struct model_verdict *out)
{
    for (size_t i = 0; i < order->name_count; i++) {
        const struct order_name *name = &order->names[i];
        if (model_covers(name, qname)) {
            out->names_it = true;
            out->match.labels =
                name->name.labels > out->match.labels ? name->name.labels : out->match.labels;
        }
    }
    out->match.exact = out->names_it;
    for (size_t i = 0; i < order->name_count; i++) {
        const struct order_name *name = &order->names[i];
        if (name->kind == NAME_SUBTREE && model_covers(name, qname) &&
            name->name.labels == out->match.labels) {
            out->match.exact = false;
        }
    }
}

/* Is some name below the qname, or the qname's subtree, out of the order's reach? */
static inline bool model_free_below(const struct model_order *order, const struct dname *qname,
                                    bool exact)
{
    bool covered = false;
    for (size_t i = 0; i < order->name_count; i++) {
        const struct order_name *name = &order->names[i];
        if (name->kind == NAME_EXCEPT && model_strictly_within(&name->name, qname)) {
            return true;
        }
        covered |= name->kind == NAME_SUBTREE && dname_within(qname, &name->name);
    }
    return exact && !covered;
}

static inline bool model_excepts(const struct model_order *order, const struct dname *qname)
{
    for (size_t i = 0; i < order->name_count; i++) {
        if (order->names[i].kind == NAME_EXCEPT && dname_within(qname, &order->names[i].name)) {
            return true;
        }
    }
    return false;
}

static inline bool model_scope_has(const struct order_scope *scope, struct country country,
                                   int64_t now)
{
    if (!country_known(country)) {
        return scope->unknown;
    }
    return country_set_has(&scope->countries, country) ||
           (scope->groups[COUNTRY_GROUP_EU] && country_group_has(COUNTRY_GROUP_EU, country, now)) ||
           (scope->groups[COUNTRY_GROUP_EEA] && country_group_has(COUNTRY_GROUP_EEA, country, now));
}

static inline bool model_network_excepted(const struct model_order *order,
                                          const struct address *address)
{
    for (size_t i = 0; i < order->network_count; i++) {
        if (network_contains(&order->networks[i], address)) {
            return true;
        }
    }
    return false;
}

static inline enum policy_binding model_binding(const struct model_order *model,
                                                const struct policy_client *client,
                                                const struct policy_question *question,
                                                bool free_below)
{
    const struct order *order = model->order;
    bool is_delegation = question->qtype == 43 || question->qtype == 48;
    if (order->status != ORDER_ACTIVE) {
        return order->status == ORDER_LIFTED ? POLICY_LIFTED : POLICY_SUSPENDED;
    }
    if (question->now < order->effective || question->now >= order->end) {
        return question->now < order->effective ? POLICY_NOT_YET : POLICY_ENDED;
    }
    if (!model_scope_has(&order->scope, client->country, question->now)) {
        return POLICY_OTHER_COUNTRY;
    }
    if (model_network_excepted(model, &client->address)) {
        return POLICY_EXCEPTED_NETWORK;
    }
    if (model_excepts(model, question->qname)) {
        return POLICY_EXCEPTED_NAME;
    }
    if (is_delegation && free_below) {
        return POLICY_LEFT_FREE;
    }
    return order->action == ORDER_SHADOW ? POLICY_SHADOWS : POLICY_BINDS;
}

static inline void model_judge(const struct model_order *order, const struct policy_client *client,
                               const struct policy_question *question, struct model_verdict *out)
{
    memset(out, 0, sizeof *out);
    model_longest(order, question->qname, out);
    out->match.free_below = model_free_below(order, question->qname, out->match.exact);
    out->match.binding = model_binding(order, client, question, out->match.free_below);
}

/* Does the first order go before the second when both name the same suffix? */
static inline bool model_precedes(const struct order *a, const struct order *b)
{
    return a->effective < b->effective ||
           (a->effective == b->effective && strcmp(a->id, b->id) < 0);
}

/* The index of the order that decides, or count. verdicts has room for count. */
static inline size_t model_decide(const struct model_order *orders, size_t count,
                                  const struct policy_client *client,
                                  const struct policy_question *question,
                                  struct model_verdict *verdicts)
{
    size_t best = count;
    for (size_t i = 0; i < count; i++) {
        model_judge(&orders[i], client, question, &verdicts[i]);
        if (!verdicts[i].names_it || verdicts[i].match.binding != POLICY_BINDS) {
            continue;
        }
        unsigned labels = verdicts[i].match.labels;
        if (best == count || labels > verdicts[best].match.labels ||
            (labels == verdicts[best].match.labels &&
             model_precedes(orders[i].order, orders[best].order))) {
            best = i;
        }
    }
    return best;
}
