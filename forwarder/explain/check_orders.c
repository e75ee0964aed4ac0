/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Comparing orders with each other and with the day. In doubt a name is not called covered: an
 * order with exceptions, windows or excepted networks covers nothing.
 */
#include "forwarder/explain/check_orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/explain/plain_text.h"
#include "forwarder/generation/generation.h"
#include "policy/instant.h"
#include "policy/policy.h"

#define EXAMPLES 3
#define EXAMPLES_MAX 1024 /* octets */
#define PATH_TEXT_MAX 4096

/* The comparison of one order with all others. */
struct comparison {
    const struct policy *policy;
    uint64_t seed;          /* of all maps */
    struct suffix_map *own; /* names of order files, with the place of the order in the policy */
    size_t order;           /* that is judged */
    bool *covers;           /* by place: every client of the order that is judged */

    size_t names;
    size_t covered;
    char examples[EXAMPLES_MAX];
};

static void warn(const struct generation *generation, size_t index, const char *text,
                 struct problem_list *problems)
{
    char file[PATH_TEXT_MAX];
    snprintf(file, sizeof file, "%s/%s", generation->config->orders,
             generation->orders[index].path);
    problem_list_add(problems, PROBLEM_WARNING, file, 0, 0, "%s", text);
}

/* ---- Whom an order binds ---- */

static bool has_exceptions(const struct order *order)
{
    for (size_t i = 0; i < order->name_count; i++) {
        if (order->names[i].kind == NAME_EXCEPT) {
            return true;
        }
    }
    return false;
}

/* Does an order bind all clients in its scope, and all the time from now on? */
static bool binds_plainly(const struct order *order, int64_t now)
{
    return policy_order_in_force(order, now) && order->end == ORDER_FOR_GOOD &&
           order->action != ORDER_SHADOW && order->window_count == 0 &&
           order->except_networks == NULL && !has_exceptions(order);
}

/* Does one scope hold every country and subdivision of another? */
static bool scope_holds(const struct order_scope *scope, const struct order_scope *other,
                        int64_t now)
{
    for (unsigned index = 0; index < COUNTRY_INDEXES; index++) {
        struct country country = country_of_index(index);
        if (order_scope_has(other, country, now) && !order_scope_has(scope, country, now)) {
            return false;
        }
    }
    for (size_t i = 0; i < other->subdivision_count; i++) {
        struct subdivisions within = SUBDIVISIONS_UNKNOWN;
        subdivisions_add(&within, &other->subdivisions[i]);
        if (!order_scope_holds(scope, other->subdivisions[i].country, &within, now)) {
            return false;
        }
    }
    return true;
}

/* ---- Names ---- */

/* Does what another order says at a suffix of a name cover that? The whole name is the suffix with
 * as many labels as the name. */
static bool kind_covers(enum name_kind said, enum name_kind wanted, bool whole)
{
    return said == NAME_SUBTREE || (whole && said == NAME_EXACT && wanted == NAME_EXACT);
}

static enum name_kind kind_of(uint32_t value)
{
    return (enum name_kind)(value & ((1U << NAME_KIND_BITS) - 1));
}

/* The order whose file covers the name; -1 if none does. Of two with the same name the earlier one
 * covers, or both would be told. */
static ptrdiff_t find_in_files(const struct comparison *comparison, const struct suffix_keys *keys,
                               enum name_kind kind)
{
    for (unsigned labels = 1; labels <= keys->count; labels++) {
        const uint32_t *values;
        bool whole = labels == keys->count;
        size_t count = suffix_map_find(comparison->own, keys, labels, &values);
        for (size_t i = 0; i < count; i++) {
            size_t order = values[i] >> NAME_KIND_BITS;
            if (comparison->covers[order] && kind_covers(kind_of(values[i]), kind, whole) &&
                (!whole || order < comparison->order)) {
                return (ptrdiff_t)order;
            }
        }
    }
    return -1;
}

/* The same for one list: it covers unless it leaves something free. */
static bool list_covers(const struct suffix_map *map, const struct suffix_keys *keys,
                        enum name_kind kind, bool earlier)
{
    bool covers = false;
    for (unsigned labels = 1; labels <= keys->count; labels++) {
        const uint32_t *values;
        bool whole = labels == keys->count;
        size_t count = suffix_map_find(map, keys, labels, &values);
        for (size_t i = 0; i < count; i++) {
            enum name_kind said = kind_of(values[i]);
            if (said != NAME_SUBTREE && said != NAME_EXACT && (said != NAME_FREE_BELOW || whole)) {
                return false;
            }
            covers = covers || ((!whole || earlier) && kind_covers(said, kind, whole));
        }
    }
    return covers;
}

static ptrdiff_t find_in_lists(const struct comparison *comparison, const struct suffix_keys *keys,
                               enum name_kind kind)
{
    for (size_t i = 0; i < policy_order_count(comparison->policy); i++) {
        const struct order *order = policy_order(comparison->policy, i);
        for (size_t j = 0; comparison->covers[i] && j < order->list_count; j++) {
            if (list_covers(name_list_map(order->lists[j].names), keys, kind,
                            i < comparison->order)) {
                return (ptrdiff_t)i;
            }
        }
    }
    return -1;
}

static void add_example(struct comparison *comparison, const struct dname *name, size_t by)
{
    char text[DNAME_TEXT_MAX];
    size_t used = strlen(comparison->examples);
    snprintf(comparison->examples + used, sizeof comparison->examples - used, "%s%s (by %.64s)",
             used == 0 ? "" : ", ", dname_format(name, text),
             policy_order(comparison->policy, by)->id);
}

/* A suffix_map_visit_fn over the names of the order that is judged. */
static bool judge(void *ctx, const struct dname *name, uint32_t value)
{
    struct comparison *comparison = ctx;
    enum name_kind kind = kind_of(value);
    struct suffix_keys keys;
    if (kind != NAME_SUBTREE && kind != NAME_EXACT) {
        return true;
    }
    suffix_keys_init(&keys, name, comparison->seed);
    ptrdiff_t by = find_in_files(comparison, &keys, kind);
    if (by < 0) {
        by = find_in_lists(comparison, &keys, kind);
    }
    comparison->names++;
    if (by >= 0 && comparison->covered++ < EXAMPLES) {
        add_example(comparison, name, (size_t)by);
    }
    return true;
}

/* ---- All orders ---- */

/* The names of the order files whose orders cover others; NULL when memory is out. */
static struct suffix_map *map_files(const struct policy *policy, uint64_t seed, int64_t now)
{
    struct suffix_map_builder *builder = suffix_map_builder_new(seed);
    bool added = builder != NULL;
    for (size_t i = 0; i < policy_order_count(policy); i++) {
        const struct order *order = policy_order(policy, i);
        bool plain = binds_plainly(order, now);
        for (size_t j = 0; added && plain && j < order->name_count; j++) {
            if (order->names[j].term == 0) {
                added = suffix_map_builder_add(builder, &order->names[j].name,
                                               (uint32_t)(i << NAME_KIND_BITS) |
                                                   (uint32_t)order->names[j].kind);
            }
        }
    }
    if (!added) {
        suffix_map_builder_free(builder);
        return NULL;
    }
    return suffix_map_seal(builder);
}

static void judge_order(struct comparison *comparison, size_t index, int64_t now)
{
    const struct order *order = policy_order(comparison->policy, index);
    comparison->order = index;
    comparison->names = comparison->covered = 0;
    comparison->examples[0] = '\0';
    for (size_t i = 0; i < policy_order_count(comparison->policy); i++) {
        const struct order *other = policy_order(comparison->policy, i);
        comparison->covers[i] = i != index && binds_plainly(other, now) &&
                                scope_holds(&other->scope, &order->scope, now);
    }
    for (size_t i = 0; i < order->name_count; i++) {
        judge(comparison, &order->names[i].name, (uint32_t)order->names[i].kind);
    }
    for (size_t i = 0; i < order->list_count; i++) {
        suffix_map_each(name_list_map(order->lists[i].names), judge, comparison);
    }
}

void check_orders_covered(const struct generation *generation, uint64_t seed, int64_t now,
                          struct problem_list *problems)
{
    struct comparison comparison = {.policy = generation->policy, .seed = seed};
    size_t count = policy_order_count(generation->policy);
    comparison.own = map_files(generation->policy, seed, now);
    comparison.covers = calloc(count + 1, sizeof(bool));
    for (size_t i = 0; comparison.own != NULL && comparison.covers != NULL && i < count; i++) {
        if (!policy_order_in_force(policy_order(generation->policy, i), now)) {
            continue;
        }
        judge_order(&comparison, i, now);
        if (comparison.covered > 0) {
            char text[EXAMPLES_MAX + 256], names[PLAIN_TEXT_COUNT_MAX];
            snprintf(text, sizeof text,
                     "%zu of its %s %s blocked already by other orders in force in the same "
                     "countries: %s%s",
                     comparison.covered, plain_text_count(comparison.names, "name", "names", names),
                     comparison.covered == 1 ? "is" : "are", comparison.examples,
                     comparison.covered > EXAMPLES ? ", …" : "");
            warn(generation, i, text, problems);
        }
    }
    suffix_map_free(comparison.own);
    free(comparison.covers);
}

/* ---- Deadlines ---- */

/* The first instant behind a deadline, by the clocks of UTC; false if it says none. */
static bool deadline_of(const struct order *order, int64_t *out)
{
    size_t len = order->deadline == NULL ? 0 : strlen(order->deadline);
    return len > 0 && (instant_parse(order->deadline, len, out) ||
                       instant_day_end(order->deadline, len, NULL, out));
}

void check_orders_overdue(const struct generation *generation, int64_t now,
                          struct problem_list *problems)
{
    for (size_t i = 0; i < policy_order_count(generation->policy); i++) {
        const struct order *order = policy_order(generation->policy, i);
        int64_t deadline;
        if (order->status == ORDER_LIFTED || now >= order->end ||
            policy_order_in_force(order, now) || !deadline_of(order, &deadline) || now < deadline) {
            continue;
        }
        char text[WHY_MAX], effective[INSTANT_TEXT_MAX];
        if (order->status == ORDER_SUSPENDED) {
            snprintf(text, sizeof text, "overdue: it had to be in force by %s and is suspended",
                     order->deadline);
        } else {
            snprintf(text, sizeof text, "overdue: it had to be in force by %s and is not before %s",
                     order->deadline, instant_format(order->effective, effective));
        }
        warn(generation, i, text, problems);
    }
}
