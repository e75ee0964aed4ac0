/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Making a policy of orders, and freeing it (its memory is explained in policy/policy_layout.h).
 * Everything that a decision asks is made here, so that deciding needs no memory.
 */
#include "policy/policy_layout.h"

#include <stdlib.h>
#include <string.h>

#include "policy/network_rules.h"

#define ORDERS_MAX (UINT32_MAX >> NAME_KIND_BITS) /* and parts */

/* ---- Orders ---- */

static int order_compare(const void *a, const void *b)
{
    const struct order *left = *(struct order *const *)a;
    const struct order *right = *(struct order *const *)b;
    if (left->effective != right->effective) {
        return left->effective < right->effective ? -1 : 1;
    }
    return strcmp(left->id, right->id);
}

static bool take_orders(struct policy *policy, struct order *const *orders, size_t count)
{
    policy->orders = calloc(count + 1, sizeof *policy->orders);
    if (policy->orders == NULL || count > ORDERS_MAX) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        policy->orders[i] = order_ref(orders[i]);
    }
    policy->count = count;
    qsort(policy->orders, count, sizeof *policy->orders, order_compare);
    return true;
}

/* ---- Names ---- */

/* Makes room for the parts of all orders. */
static bool reserve_parts(struct policy *policy)
{
    size_t most = 0;
    for (size_t i = 0; i < policy->count; i++) {
        const struct order *order = policy->orders[i];
        most += 1 + order->term_count;
        for (size_t n = 0; n < order->name_count; n++) {
            most += order->names[n].ticket != NULL;
        }
    }
    policy->parts = most <= ORDERS_MAX ? calloc(most + 1, sizeof *policy->parts) : NULL;
    return policy->parts != NULL;
}

static const struct order_term *term_of(const struct order *order, const struct order_name *name)
{
    return name->term == 0 ? NULL : &order->terms[name->term - 1];
}

/* The part of a name with a ticket: mostly that of the name before it, as one ticket brings many.
 */
static uint32_t ticket_part(struct policy *policy, uint32_t index, const struct order_name *name)
{
    const struct order_term *term = term_of(policy->orders[index], name);
    const struct policy_part *last = &policy->parts[policy->part_count - 1];
    if (last->ticket == NULL || last->term != term || strcmp(last->ticket, name->ticket) != 0) {
        policy->parts[policy->part_count++] = (struct policy_part){index, term, name->ticket};
    }
    return (uint32_t)(policy->part_count - 1);
}

static bool add_name(struct suffix_map_builder *builder, uint32_t part,
                     const struct order_name *name)
{
    if (!suffix_map_builder_add(builder, &name->name,
                                part << NAME_KIND_BITS | (uint32_t)name->kind)) {
        return false;
    }
    bool frees =
        name->kind == NAME_EXCEPT || name->kind == NAME_PASS || name->kind == NAME_PASS_BELOW;
    for (unsigned labels = 0; frees && labels < name->name.labels; labels++) {
        struct dname above;
        dname_suffix(&name->name, labels, &above);
        if (!suffix_map_builder_add(builder, &above, part << NAME_KIND_BITS | NAME_FREE_BELOW)) {
            return false;
        }
    }
    return true;
}

static bool add_order(struct policy *policy, struct suffix_map_builder *builder, uint32_t index)
{
    const struct order *order = policy->orders[index];
    const uint32_t first = (uint32_t)policy->part_count; /* by term, for names without a ticket */
    policy->parts[policy->part_count++] = (struct policy_part){.order = index};
    for (size_t t = 0; t < order->term_count; t++) {
        policy->parts[policy->part_count++] =
            (struct policy_part){.order = index, .term = &order->terms[t]};
    }
    for (size_t n = 0; n < order->name_count; n++) {
        const struct order_name *name = &order->names[n];
        uint32_t part =
            name->ticket != NULL ? ticket_part(policy, index, name) : first + (uint32_t)name->term;
        if (!add_name(builder, part, name)) {
            return false;
        }
    }
    return true;
}

static bool build_names(struct policy *policy)
{
    struct suffix_map_builder *builder = suffix_map_builder_new(policy->seed);
    bool added = builder != NULL && reserve_parts(policy);
    for (size_t i = 0; added && i < policy->count; i++) {
        added = add_order(policy, builder, (uint32_t)i);
    }
    if (!added) {
        suffix_map_builder_free(builder);
        return false;
    }
    policy->names = suffix_map_seal(builder);
    return policy->names != NULL;
}

static bool add_labels(const struct policy *policy, struct suffix_map_builder *builder)
{
    for (size_t i = 0; i < policy->count; i++) {
        const struct order *order = policy->orders[i];
        for (size_t n = 0; n < order->any_tld_count; n++) {
            if (!suffix_map_builder_add(builder, &order->any_tld[n], (uint32_t)i)) {
                return false;
            }
        }
    }
    return true;
}

/* Without a label there is no map, so that no query asks for one. */
static bool build_any_tld(struct policy *policy)
{
    size_t labels = 0;
    for (size_t i = 0; i < policy->count; i++) {
        labels += policy->orders[i]->any_tld_count;
    }
    if (labels == 0) {
        return true;
    }
    struct suffix_map_builder *builder = suffix_map_builder_new(policy->seed);
    if (builder == NULL || !add_labels(policy, builder)) {
        suffix_map_builder_free(builder);
        return false;
    }
    policy->any_tld = suffix_map_seal(builder);
    return policy->any_tld != NULL;
}

/* ---- Countries ---- */

/* Which countries an order can bind at or after loaded. */
struct reach {
    struct country_set countries; /* all of them */
    struct country_set parted;    /* those that it names subdivisions of */
    bool unknown;
    int64_t end; /* ORDER_ALWAYS: none at all */
};

static void reach_of_order(const struct order *order, int64_t loaded, struct reach *out)
{
    *out = (struct reach){
        .countries = order->scope.countries,
        .unknown = order->scope.unknown,
        .end = order->status == ORDER_ACTIVE ? order->end : ORDER_ALWAYS,
    };
    for (unsigned group = 0; group < COUNTRY_GROUPS; group++) {
        struct country_set members = {0};
        if (order->scope.groups[group]) {
            country_group_members_since((enum country_group)group, loaded, &members);
        }
        for (size_t i = 0; i < sizeof members.bits / sizeof *members.bits; i++) {
            out->countries.bits[i] |= members.bits[i];
        }
    }
    for (size_t i = 0; i < order->scope.subdivision_count; i++) {
        country_set_add(&out->parted, order->scope.subdivisions[i].country);
    }
}

/* Does it reach all of the country? */
static bool reach_has(const struct reach *reach, unsigned country)
{
    if (reach->end == ORDER_ALWAYS) {
        return false;
    }
    return country == COUNTRY_INDEX_UNKNOWN
               ? reach->unknown
               : country_set_has(&reach->countries, country_of_index(country));
}

/* Does it reach somebody in the country? */
static bool reach_touches(const struct reach *reach, unsigned country)
{
    return reach_has(reach, country) ||
           (reach->end != ORDER_ALWAYS && country != COUNTRY_INDEX_UNKNOWN &&
            country_set_has(&reach->parted, country_of_index(country)));
}

static bool has_lists(const struct order *order)
{
    return order->list_count > 0;
}

static bool has_clients(const struct order *order)
{
    for (size_t i = 0; i < order->list_count; i++) {
        if (name_list_clients(order->lists[i].names) != NULL) {
            return true;
        }
    }
    return false;
}

static bool has_answers(const struct order *order)
{
    for (size_t i = 0; i < order->list_count; i++) {
        if (name_list_answers(order->lists[i].names) != NULL) {
            return true;
        }
    }
    return order->answers != NULL;
}

typedef bool order_has_fn(const struct order *order);

static bool has_scope(const struct order *order)
{
    (void)order; /* every order has one */
    return true;
}

static bool reads_answers(const struct order *order)
{
    return order->aliases || has_answers(order);
}

static bool is_shadow(const struct order *order)
{
    return order->action == ORDER_SHADOW;
}

/* ---- Ends ---- */

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void widen(struct policy_ends *ends, const struct reach *reach)
{
    for (unsigned country = 0; country < COUNTRY_INDEXES; country++) {
        if (reach_touches(reach, country)) {
            ends->any[country] = later(ends->any[country], reach->end);
        }
        if (reach_has(reach, country)) {
            ends->whole[country] = later(ends->whole[country], reach->end);
        }
    }
}

/* Behind those that are there; their order comes later. */
static void add_subdivisions(struct policy_ends *ends, const struct order_scope *scope, int64_t end)
{
    for (size_t i = 0; i < scope->subdivision_count; i++) {
        ends->within[ends->count++] = (struct policy_end_within){scope->subdivisions[i], end};
    }
}

static int compare_within(const void *a, const void *b)
{
    const struct policy_end_within *left = a;
    const struct policy_end_within *right = b;
    return subdivision_compare(&left->subdivision, &right->subdivision);
}

/* Sorts them, and keeps of each subdivision the last end. */
static void join_subdivisions(struct policy_ends *ends)
{
    size_t kept = 0;
    qsort(ends->within, ends->count, sizeof *ends->within, compare_within);
    for (size_t i = 0; i < ends->count; i++) {
        const struct policy_end_within *next = &ends->within[i];
        if (kept > 0 && compare_within(&ends->within[kept - 1], next) == 0) {
            ends->within[kept - 1].end = later(ends->within[kept - 1].end, next->end);
        } else {
            ends->within[kept++] = *next;
        }
    }
    ends->count = kept;
}

static bool build_ends(const struct policy *policy, const struct reach *reaches, order_has_fn *has,
                       struct policy_ends *ends)
{
    size_t most = 1;
    for (size_t i = 0; i < policy->count; i++) {
        most += policy->orders[i]->scope.subdivision_count;
    }
    ends->within = calloc(most, sizeof *ends->within);
    if (ends->within == NULL) {
        return false;
    }
    for (unsigned country = 0; country < COUNTRY_INDEXES; country++) {
        ends->any[country] = ends->whole[country] = ORDER_ALWAYS;
    }
    for (size_t i = 0; i < policy->count; i++) {
        if (has(policy->orders[i])) {
            widen(ends, &reaches[i]);
            add_subdivisions(ends, &policy->orders[i]->scope, reaches[i].end);
        }
    }
    join_subdivisions(ends);
    return true;
}

/* ---- Rows ---- */

/* Fills the rows; with their orders still NULL it only counts. */
static void fill_rows(const struct policy *policy, const struct reach *reaches, order_has_fn *has,
                      struct policy_rows *rows)
{
    size_t used = 0;
    for (unsigned row = 0; row <= POLICY_ROW_ALL; row++) {
        rows->first[row] = used;
        for (size_t i = 0; i < policy->count; i++) {
            if (!has(policy->orders[i]) ||
                (row != POLICY_ROW_ALL && !reach_touches(&reaches[i], row))) {
                continue;
            }
            if (rows->orders != NULL) {
                rows->orders[used] = (uint32_t)i;
            }
            used++;
        }
    }
    rows->first[POLICY_ROW_ALL + 1] = used;
}

static bool build_rows(const struct policy *policy, const struct reach *reaches, order_has_fn *has,
                       struct policy_rows *rows)
{
    fill_rows(policy, reaches, has, rows);
    rows->orders = calloc(rows->first[POLICY_ROW_ALL + 1] + 1, sizeof *rows->orders);
    if (rows->orders == NULL) {
        return false;
    }
    fill_rows(policy, reaches, has, rows);
    return true;
}

/* Fills the rows of maps; with these still NULL it only counts. Returns how many there are. */
static size_t fill_maps(const struct policy *policy, struct policy_maps *maps)
{
    const struct policy_rows *listed = &policy->listed;
    size_t used = 0;
    for (unsigned row = 0; row < COUNTRY_INDEXES; row++) {
        maps->first[row] = used;
        for (size_t i = listed->first[row]; i < listed->first[row + 1]; i++) {
            const struct order *order = policy->orders[listed->orders[i]];
            for (size_t l = 0; maps->maps != NULL && l < order->list_count; l++) {
                maps->maps[used + l] = name_list_map(order->lists[l].names);
            }
            used += order->list_count;
        }
    }
    maps->first[COUNTRY_INDEXES] = used;
    return used;
}

static bool build_maps(const struct policy *policy, struct policy_maps *maps)
{
    size_t count = fill_maps(policy, maps);
    maps->maps = calloc(count + 1, sizeof *maps->maps);
    if (maps->maps == NULL) {
        return false;
    }
    fill_maps(policy, maps);
    return true;
}

static bool build_countries(struct policy *policy, int64_t loaded)
{
    struct reach *reaches = calloc(policy->count + 1, sizeof *reaches);
    if (reaches == NULL) {
        return false;
    }
    for (size_t i = 0; i < policy->count; i++) {
        reach_of_order(policy->orders[i], loaded, &reaches[i]);
    }
    bool built = build_ends(policy, reaches, has_scope, &policy->scope) &&
                 build_ends(policy, reaches, reads_answers, &policy->answers) &&
                 build_ends(policy, reaches, is_shadow, &policy->shadows) &&
                 build_rows(policy, reaches, has_lists, &policy->listed) &&
                 build_maps(policy, &policy->maps) &&
                 build_rows(policy, reaches, has_clients, &policy->clients) &&
                 build_rows(policy, reaches, has_answers, &policy->addressed);
    free(reaches);
    return built;
}

/* ---- Plain orders ---- */

/* Names with dates or a ticket of their own are told apart, so they are not plain. */
static bool has_plain_names(const struct order *order)
{
    for (size_t i = 0; i < order->name_count; i++) {
        const struct order_name *name = &order->names[i];
        if (name->kind != NAME_SUBTREE || name->term != 0 || name->ticket != NULL) {
            return false;
        }
    }
    return order->any_tld_count == 0;
}

/* Nor are names with a rule of their own: its number is in their values. */
static bool has_plain_lists(const struct order *order)
{
    for (size_t i = 0; i < order->list_count; i++) {
        if (!suffix_map_all(name_list_map(order->lists[i].names), NAME_SUBTREE)) {
            return false;
        }
    }
    return !has_clients(order);
}

static bool has_large_list(const struct order *order)
{
    bool has = false;
    for (size_t l = 0; l < order->list_count; l++) {
        has |= suffix_map_is_large(name_list_map(order->lists[l].names));
    }
    return has;
}

/* What a decision is spared to find out. */
static bool know_orders(struct policy *policy)
{
    policy->plain = calloc(policy->count + 1, sizeof *policy->plain);
    for (size_t i = 0; policy->plain != NULL && i < policy->count; i++) {
        const struct order *order = policy->orders[i];
        policy->plain[i] = has_plain_names(order) && has_plain_lists(order);
        policy->large_lists |= has_large_list(order);
    }
    return policy->plain != NULL;
}

/* Labels of any-tld stand at any depth with a public suffix behind them. */
static void collect_depths(struct policy *policy)
{
    suffix_map_add_depths(policy->names, &policy->named);
    policy->depths = policy->named;
    for (size_t i = 0; i < policy->count; i++) {
        const struct order *order = policy->orders[i];
        for (size_t l = 0; l < order->list_count; l++) {
            suffix_map_add_depths(name_list_map(order->lists[l].names), &policy->depths);
        }
    }
    if (policy->any_tld != NULL) {
        policy->depths = (struct suffix_depths){{UINT64_MAX, UINT64_MAX}};
    }
}

/* ---- All together ---- */

struct policy *policy_new(struct order *const *orders, size_t count, uint64_t seed, int64_t loaded)
{
    struct policy *policy = calloc(1, sizeof *policy);
    if (policy == NULL) {
        return NULL;
    }
    policy->seed = seed;
    if (!take_orders(policy, orders, count) || !build_names(policy) || !build_any_tld(policy) ||
        !build_countries(policy, loaded) || !know_orders(policy)) {
        policy_free(policy);
        return NULL;
    }
    collect_depths(policy);
    return policy;
}

void policy_free(struct policy *policy)
{
    if (policy == NULL) {
        return;
    }
    for (size_t i = 0; i < policy->count; i++) {
        order_unref(policy->orders[i]);
    }
    free(policy->orders);
    free(policy->plain);
    free(policy->parts);
    suffix_map_free(policy->names);
    suffix_map_free(policy->any_tld);
    free(policy->listed.orders);
    free(policy->maps.maps);
    free(policy->clients.orders);
    free(policy->addressed.orders);
    free(policy->scope.within);
    free(policy->answers.within);
    free(policy->shadows.within);
    free(policy);
}
