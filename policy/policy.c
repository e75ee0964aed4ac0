/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Orders are kept by precedence (effective, then id), so of two orders that name the same suffix
 * the one with the smaller index wins. Names of order files share one map, whose values are
 * index << 2 | kind; each list has its own. For every country there is a
 * row of the orders with lists that may bind it, and an instant from which on no order does.
 *
 * A decision walks the suffixes of the qname from the longest to the root. Nothing is remembered of
 * the orders met: whether an order was met before, excepts the name or leaves names below it free
 * is read again from the maps for each order that could bind, so no query needs memory.
 */
#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

#define KIND_BITS NAME_KIND_BITS
#define KIND_MASK ((1U << KIND_BITS) - 1)
#define ORDERS_MAX (UINT32_MAX >> KIND_BITS)

/* The row behind those of the countries: every order that has lists. */
#define ROW_ALL COUNTRY_INDEXES

#define QTYPE_DS 43     /* RFC 4034 section 5 */
#define QTYPE_DNSKEY 48 /* RFC 4034 section 2 */

struct policy {
    uint64_t seed;
    struct order **orders; /* a reference of each, by precedence */
    size_t count;
    struct suffix_map *names;           /* of the order files */
    int64_t scope_end[COUNTRY_INDEXES]; /* from then on no order binds; ORDER_ALWAYS: none does */
    uint32_t *listed;                   /* indexes of orders with lists, row by row, ascending */
    size_t row[ROW_ALL + 2];            /* row r is listed[row[r]] … listed[row[r + 1] - 1] */
};

/* ---- Building ---- */

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

static bool add_name(struct suffix_map_builder *builder, uint32_t order,
                     const struct order_name *name)
{
    if (!suffix_map_builder_add(builder, &name->name, order << KIND_BITS | (uint32_t)name->kind)) {
        return false;
    }
    if (name->kind != NAME_EXCEPT) {
        return true;
    }
    for (unsigned labels = 0; labels < name->name.labels; labels++) {
        struct dname above;
        dname_suffix(&name->name, labels, &above);
        if (!suffix_map_builder_add(builder, &above, order << KIND_BITS | NAME_FREE_BELOW)) {
            return false;
        }
    }
    return true;
}

static bool build_names(struct policy *policy)
{
    struct suffix_map_builder *builder = suffix_map_builder_new(policy->seed);
    if (builder == NULL) {
        return false;
    }
    for (size_t i = 0; i < policy->count; i++) {
        const struct order *order = policy->orders[i];
        for (size_t n = 0; n < order->name_count; n++) {
            if (!add_name(builder, (uint32_t)i, &order->names[n])) {
                suffix_map_builder_free(builder);
                return false;
            }
        }
    }
    policy->names = suffix_map_seal(builder);
    return policy->names != NULL;
}

/* Which countries an order can bind at or after loaded. */
struct reach {
    struct country_set countries;
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
}

static bool reach_has(const struct reach *reach, unsigned country)
{
    if (reach->end == ORDER_ALWAYS) {
        return false;
    }
    return country == COUNTRY_INDEX_UNKNOWN
               ? reach->unknown
               : country_set_has(&reach->countries, country_of_index(country));
}

static void widen_scope(struct policy *policy, const struct reach *reach)
{
    for (unsigned country = 0; country < COUNTRY_INDEXES; country++) {
        if (reach_has(reach, country) && reach->end > policy->scope_end[country]) {
            policy->scope_end[country] = reach->end;
        }
    }
}

/* Fills the rows; with listed still NULL it only counts. */
static void fill_rows(struct policy *policy, const struct reach *reaches)
{
    size_t used = 0;
    for (unsigned row = 0; row <= ROW_ALL; row++) {
        policy->row[row] = used;
        for (size_t i = 0; i < policy->count; i++) {
            if (policy->orders[i]->list_count == 0 ||
                (row != ROW_ALL && !reach_has(&reaches[i], row))) {
                continue;
            }
            if (policy->listed != NULL) {
                policy->listed[used] = (uint32_t)i;
            }
            used++;
        }
    }
    policy->row[ROW_ALL + 1] = used;
}

static bool build_rows(struct policy *policy, int64_t loaded)
{
    struct reach *reaches = calloc(policy->count + 1, sizeof *reaches);
    if (reaches == NULL) {
        return false;
    }
    for (unsigned country = 0; country < COUNTRY_INDEXES; country++) {
        policy->scope_end[country] = ORDER_ALWAYS;
    }
    for (size_t i = 0; i < policy->count; i++) {
        reach_of_order(policy->orders[i], loaded, &reaches[i]);
        widen_scope(policy, &reaches[i]);
    }
    fill_rows(policy, reaches);
    policy->listed = calloc(policy->row[ROW_ALL + 1] + 1, sizeof *policy->listed);
    if (policy->listed != NULL) {
        fill_rows(policy, reaches);
    }
    free(reaches);
    return policy->listed != NULL;
}

struct policy *policy_new(struct order *const *orders, size_t count, uint64_t seed, int64_t loaded)
{
    struct policy *policy = calloc(1, sizeof *policy);
    if (policy == NULL) {
        return NULL;
    }
    policy->seed = seed;
    if (!take_orders(policy, orders, count) || !build_names(policy) ||
        !build_rows(policy, loaded)) {
        policy_free(policy);
        return NULL;
    }
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
    suffix_map_free(policy->names);
    free(policy->listed);
    free(policy);
}

/* ---- What a policy holds ---- */

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
    return order->status == ORDER_ACTIVE && order->effective <= now && now < order->end;
}

size_t policy_names(const struct policy *policy)
{
    size_t names = 0;
    for (size_t i = 0; i < policy->count; i++) {
        const struct order *order = policy->orders[i];
        names += order->name_count;
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

bool policy_in_scope(const struct policy *policy, struct country country, int64_t now)
{
    return now < policy->scope_end[country_index(country)];
}

/* ---- Deciding ---- */

/* The values that the map of the order files has for one suffix. */
struct found {
    const uint32_t *values;
    size_t count;
};

/* The qname cut into suffixes, and what the order files say of each. */
struct suffixes {
    struct suffix_keys keys;
    struct found found[DNAME_LABELS_MAX + 1]; /* by labels of the suffix */
};

/* One decision on its way, on the stack of its caller. */
struct walk {
    const struct policy *policy;
    const struct policy_client *client;
    const struct policy_question *question;
    bool everywhere; /* also orders that are not in force for this client */
    policy_note_fn *note;
    void *ctx;
    bool decided;
    struct policy_match *best;
    struct suffixes *suffixes;
};

/* Kinds, as a set of bits. */
#define KIND(kind) (1U << (kind))

/* Takes the values of one order, which stand together, from the found ones. */
static unsigned take_kinds(const struct found *found, uint32_t order, size_t *at)
{
    unsigned kinds = 0;
    for (; *at < found->count && found->values[*at] >> KIND_BITS == order; (*at)++) {
        kinds |= KIND(found->values[*at] & KIND_MASK);
    }
    return kinds;
}

/* What the order file says of a suffix. */
static unsigned kinds_in_file(const struct walk *walk, uint32_t order, unsigned labels)
{
    const struct found *found = &walk->suffixes->found[labels];
    size_t low = 0;
    for (size_t high = found->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (found->values[middle] >> KIND_BITS < order) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return take_kinds(found, order, &low);
}

static unsigned kinds_in_lists(const struct walk *walk, uint32_t order, unsigned labels)
{
    const struct order *lists_of = walk->policy->orders[order];
    unsigned kinds = 0;
    for (size_t i = 0; i < lists_of->list_count; i++) {
        const uint32_t *values = NULL;
        size_t count = suffix_map_find(name_list_map(lists_of->lists[i].names),
                                       &walk->suffixes->keys, labels, &values);
        for (size_t v = 0; v < count; v++) {
            kinds |= KIND(values[v]);
        }
    }
    return kinds;
}

/* Do these kinds at this suffix block the qname? An exact name is only itself. */
static bool kinds_match(const struct walk *walk, unsigned kinds, unsigned labels)
{
    return (kinds & KIND(NAME_SUBTREE)) != 0 ||
           ((kinds & KIND(NAME_EXACT)) != 0 && labels == walk->suffixes->keys.count);
}

/* All that one order says of the qname, over all its suffixes. */
struct reading {
    bool exact; /* the longest match is an exact name and not a subtree */
    bool excepted;
    bool free_below;
};

/* Reads it for an order whose longest match has this many labels; false if there is a longer one,
 * at which the order was considered before. */
static bool read_order(const struct walk *walk, uint32_t order, unsigned match, struct reading *out)
{
    const unsigned full = walk->suffixes->keys.count;
    bool covered = false; /* by a subtree of the order */
    *out = (struct reading){0};
    for (unsigned labels = full + 1; labels-- > 0;) {
        unsigned kinds = kinds_in_file(walk, order, labels) | kinds_in_lists(walk, order, labels);
        if (labels > match && kinds_match(walk, kinds, labels)) {
            return false;
        }
        bool subtree = (kinds & KIND(NAME_SUBTREE)) != 0;
        covered |= subtree;
        out->exact |= labels == match && !subtree;
        out->excepted |= (kinds & KIND(NAME_EXCEPT)) != 0;
        out->free_below |= labels == full && (kinds & KIND(NAME_FREE_BELOW)) != 0;
    }
    out->free_below |= out->exact && !covered;
    return true;
}

/* Is the client in one of the order's excepted networks, by its address or by the IPv4 address in
 * it, which decides where it is? */
static bool is_excepted(const struct order *order, const struct address *address)
{
    struct address ipv4;
    return network_set_contains(order->except_networks, address) ||
           (address_in_6to4(address, &ipv4) && network_set_contains(order->except_networks, &ipv4));
}

/* Is the order in force for this client, whatever the name? POLICY_BINDS if so, else why not. */
static enum policy_binding bind_client(const struct walk *walk, const struct order *order)
{
    const struct policy_client *client = walk->client;
    int64_t now = walk->question->now;
    switch (order->status) {
    case ORDER_ACTIVE:
        break;
    case ORDER_SUSPENDED:
        return POLICY_SUSPENDED;
    case ORDER_LIFTED:
        return POLICY_LIFTED;
    }
    if (now < order->effective) {
        return POLICY_NOT_YET;
    }
    if (now >= order->end) {
        return POLICY_ENDED;
    }
    if (!order_scope_has(&order->scope, client->country, now)) {
        return POLICY_OTHER_COUNTRY;
    }
    if (is_excepted(order, &client->address)) {
        return POLICY_EXCEPTED_NETWORK;
    }
    return POLICY_BINDS;
}

static enum policy_binding bind_name(const struct walk *walk, const struct order *order,
                                     const struct reading *reading)
{
    uint16_t qtype = walk->question->qtype;
    if (reading->excepted) {
        return POLICY_EXCEPTED_NAME;
    }
    if (reading->free_below && (qtype == QTYPE_DS || qtype == QTYPE_DNSKEY)) {
        return POLICY_LEFT_FREE;
    }
    return order->action == ORDER_SHADOW ? POLICY_SHADOWS : POLICY_BINDS;
}

/* An order blocks this suffix, by its file or a list. Suffixes come longest first, so a match that
 * binds stands unless one of the same length and a smaller index comes. */
static void consider(struct walk *walk, uint32_t index, unsigned labels)
{
    const struct order *order = walk->policy->orders[index];
    enum policy_binding binding = bind_client(walk, order);
    if (binding != POLICY_BINDS && !walk->everywhere) {
        return;
    }
    struct reading reading;
    if (!read_order(walk, index, labels, &reading)) {
        return;
    }
    if (binding == POLICY_BINDS) {
        binding = bind_name(walk, order, &reading);
    }
    struct policy_match match = {
        .order = index,
        .labels = labels,
        .exact = reading.exact,
        .free_below = reading.free_below,
        .end = order->end,
        .binding = binding,
    };
    if (walk->note != NULL) {
        walk->note(walk->ctx, &match);
    }
    if (binding == POLICY_BINDS &&
        (!walk->decided || (labels == walk->best->labels && index < walk->best->order))) {
        walk->decided = true;
        *walk->best = match;
    }
}

static void consider_files(struct walk *walk, unsigned labels)
{
    const struct found *found = &walk->suffixes->found[labels];
    for (size_t i = 0; i < found->count;) {
        uint32_t order = found->values[i] >> KIND_BITS;
        unsigned kinds = take_kinds(found, order, &i);
        if (kinds_match(walk, kinds, labels)) {
            consider(walk, order, labels);
        }
    }
}

static void consider_lists(struct walk *walk, unsigned labels)
{
    const struct policy *policy = walk->policy;
    unsigned row = walk->everywhere ? ROW_ALL : country_index(walk->client->country);
    for (size_t i = policy->row[row]; i < policy->row[row + 1]; i++) {
        uint32_t order = policy->listed[i];
        if (kinds_match(walk, kinds_in_lists(walk, order, labels), labels) &&
            !kinds_match(walk, kinds_in_file(walk, order, labels), labels)) {
            consider(walk, order, labels);
        }
    }
}

/* Takes a walk that lacks its suffixes and its outcome. */
static enum policy_outcome judge(struct walk walk)
{
    struct suffixes suffixes; /* large: set as far as the qname needs */
    walk.suffixes = &suffixes;
    suffix_keys_init(&suffixes.keys, walk.question->qname, walk.policy->seed);
    for (unsigned labels = 0; labels <= suffixes.keys.count; labels++) {
        struct found *found = &suffixes.found[labels];
        found->count = suffix_map_find(walk.policy->names, &suffixes.keys, labels, &found->values);
    }
    for (unsigned labels = suffixes.keys.count + 1; labels-- > 0;) {
        consider_files(&walk, labels);
        consider_lists(&walk, labels);
        if (walk.decided && walk.note == NULL) {
            break;
        }
    }
    return walk.decided ? POLICY_BLOCK : POLICY_PASS;
}

/* NOLINTNEXTLINE(readability-function-size): a callback and its context are one thing */
enum policy_outcome policy_decide(const struct policy *policy, const struct policy_client *client,
                                  const struct policy_question *question,
                                  struct policy_match *match, policy_note_fn *note, void *ctx)
{
    return judge((struct walk){
        .policy = policy,
        .client = client,
        .question = question,
        .note = note,
        .ctx = ctx,
        .best = match,
    });
}

/* NOLINTNEXTLINE(readability-function-size): as above */
enum policy_outcome policy_explain(const struct policy *policy, const struct policy_client *client,
                                   const struct policy_question *question,
                                   struct policy_match *match, policy_note_fn *note, void *ctx)
{
    return judge((struct walk){
        .policy = policy,
        .client = client,
        .question = question,
        .everywhere = true,
        .note = note,
        .ctx = ctx,
        .best = match,
    });
}

enum order_action policy_match_action(const struct policy *policy, const struct policy_match *match)
{
    enum order_action action = policy->orders[match->order]->action;
    return action == ORDER_NXDOMAIN && match->free_below ? ORDER_NODATA : action;
}

const char *policy_binding_text(enum policy_binding binding)
{
    static const char *const texts[] = {
        [POLICY_BINDS] = "binds",
        [POLICY_SHADOWS] = "would block, and is only counted (shadow)",
        [POLICY_OTHER_COUNTRY] = "the client's country is not in its scope",
        [POLICY_EXCEPTED_NETWORK] = "the client's network is excepted",
        [POLICY_NOT_YET] = "is not yet in force",
        [POLICY_ENDED] = "has ended",
        [POLICY_SUSPENDED] = "is suspended",
        [POLICY_LIFTED] = "was lifted",
        [POLICY_OUTSIDE_WINDOW] = "it is in none of its windows",
        [POLICY_ITEM_NOT_YET] = "the item that names it is not yet in force",
        [POLICY_ITEM_ENDED] = "the item that names it has ended",
        [POLICY_EXCEPTED_NAME] = "an exception of the order covers the name",
        [POLICY_LEFT_FREE] = "names below stay free, so DS and DNSKEY are forwarded",
    };
    return texts[binding];
}
