/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Names and networks are asked one by one. What an order blocks without naming it cannot be: there
 * each protected name must be excepted, and those above it must pass, as when the order was read.
 */
#include "policy/order_guard.h"

#include <stdio.h>

#include "policy/guard.h"
#include "policy/network_rules.h"
#include "policy/order.h"
#include "policy/order_names.h"
#include "policy/suffix_map.h"

/* The exceptions are the operator's own, and no query is compared with them here. */
#define SEED 0

struct judgement {
    const struct guard *guard;
    const struct suffix_map *exceptions; /* of the order file, for good; values are kinds */
    bool refused;
    char *why; /* WHY_MAX octets */
};

static void judge_name(struct judgement *judgement, const struct dname *name)
{
    char reason[WHY_MAX];
    if (guard_judge(judgement->guard, name, reason) == GUARD_PROTECTED) {
        judgement->refused = true;
        snprintf(judgement->why, WHY_MAX, "it blocks a name that is protected now: %.180s", reason);
    }
}

/* A suffix_map_visit_fn over a list. The root of a list has its exceptions in the list, made for
 * what was protected then. */
static bool visit_listed(void *ctx, const struct dname *name, uint32_t value)
{
    struct judgement *judgement = ctx;
    enum name_kind kind = (enum name_kind)(value & ((1U << NAME_KIND_BITS) - 1));
    if (kind != NAME_SUBTREE && kind != NAME_EXACT && kind != NAME_BELOW) {
        return true;
    }
    judge_name(judgement, name);
    if (name->labels == 0 && kind != NAME_EXACT) {
        judgement->refused = true;
        snprintf(judgement->why, WHY_MAX,
                 "it blocks the root by a list, and so names that are protected now");
    }
    return !judgement->refused;
}

static void judge_networks(struct judgement *judgement, const struct network_rules *rules)
{
    for (size_t i = 0; !judgement->refused && i < network_rules_count(rules); i++) {
        const struct network_rule *entry = network_rules_at(rules, i);
        char reason[WHY_MAX];
        if (entry->rule != NAME_LIST_PASS &&
            guard_judge_network(judgement->guard, &entry->network, reason) == GUARD_PROTECTED) {
            judgement->refused = true;
            snprintf(judgement->why, WHY_MAX, "it blocks a network that is protected now: %.180s",
                     reason);
        }
    }
}

/* Is the name excepted, by itself or with one above it, or does it pass? */
static bool is_free(const struct judgement *judgement, const struct dname *name)
{
    struct suffix_keys keys;
    suffix_keys_init(&keys, name, SEED);
    for (unsigned labels = 0; labels <= keys.count; labels++) {
        const uint32_t *kinds = NULL;
        size_t count = suffix_map_find(judgement->exceptions, &keys, labels, &kinds);
        for (size_t i = 0; i < count; i++) {
            if (kinds[i] == NAME_EXCEPT || labels == keys.count) {
                return true;
            }
        }
    }
    return false;
}

/* A guard_visit_fn over what is protected. */
static bool visit_protected(void *ctx, const struct dname *name)
{
    struct judgement *judgement = ctx;
    if (is_free(judgement, name)) {
        return true;
    }
    char shown[DNAME_TEXT_MAX];
    judgement->refused = true;
    snprintf(judgement->why, WHY_MAX, "it might block %.128s, which is protected now",
             dname_format(name, shown));
    return false;
}

/* NULL when memory is out. */
static struct suffix_map *map_exceptions(const struct order *order)
{
    struct suffix_map_builder *builder = suffix_map_builder_new(SEED);
    for (size_t i = 0; builder != NULL && i < order->name_count; i++) {
        const struct order_name *name = &order->names[i];
        if ((name->kind == NAME_EXCEPT || name->kind == NAME_PASS) && name->term == 0 &&
            !suffix_map_builder_add(builder, &name->name, (uint32_t)name->kind)) {
            suffix_map_builder_free(builder);
            return NULL;
        }
    }
    return builder == NULL ? NULL : suffix_map_seal(builder);
}

static void judge_unnamed(struct judgement *judgement, const struct order *order)
{
    struct suffix_map *exceptions = map_exceptions(order);
    if (exceptions == NULL) {
        judgement->refused = true;
        snprintf(judgement->why, WHY_MAX, "there is no memory to judge it again");
        return;
    }
    judgement->exceptions = exceptions;
    guard_each_protected(judgement->guard, visit_protected, judgement);
    if (!judgement->refused && order_names_need_passes(order)) {
        guard_each_above(judgement->guard, visit_protected, judgement);
    }
    suffix_map_free(exceptions);
}

bool order_guard_allows(const struct order *order, const struct guard *guard,
                        char why[static WHY_MAX])
{
    struct judgement judgement = {.guard = guard, .why = why};
    for (size_t i = 0; !judgement.refused && i < order->name_count; i++) {
        enum name_kind kind = order->names[i].kind;
        if (kind != NAME_EXCEPT && kind != NAME_PASS) {
            judge_name(&judgement, &order->names[i].name);
        }
    }
    for (size_t i = 0; !judgement.refused && i < order->list_count; i++) {
        const struct name_list *list = order->lists[i].names;
        suffix_map_each(name_list_map(list), visit_listed, &judgement);
        judge_networks(&judgement, name_list_answers(list));
        judge_networks(&judgement, name_list_clients(list));
    }
    judge_networks(&judgement, order->answers);
    if (!judgement.refused && order_names_need_exceptions(order)) {
        judge_unnamed(&judgement, order);
    }
    return !judgement.refused;
}
