/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What one order, its lists included, says of a name and of the names above it: the question that
 * the checks of an order ask again and again. Internal to the reading of orders
 * (policy/order_reader.h); a query is decided by policy/policy.h.
 */
#pragma once

#include "policy/order.h"
#include "policy/suffix_map.h"

struct order_blocked {
    const struct order *order;
    struct suffix_map *names; /* of the order file; the values are indexes of order->names */
    uint64_t seed;            /* of all maps */
};

/* False when memory is out; order_blocked_fini is right after either. */
bool order_blocked_init(struct order_blocked *blocked, const struct order *order, uint64_t seed);
void order_blocked_fini(struct order_blocked *blocked);

/* Kinds of name, as a set of bits. */
#define ORDER_BLOCKED_KIND(kind) (1U << (kind))

/* Kinds that stand for everything below a name. */
#define ORDER_BLOCKED_BELOW (ORDER_BLOCKED_KIND(NAME_SUBTREE) | ORDER_BLOCKED_KIND(NAME_BELOW))

/* The kinds that file and lists have at the suffix of so many labels. */
unsigned order_blocked_kinds(const struct order_blocked *blocked, const struct suffix_keys *keys,
                             unsigned labels);

/* The same over all suffixes of at most so many labels. */
unsigned order_blocked_kinds_above(const struct order_blocked *blocked,
                                   const struct suffix_keys *keys, unsigned most_labels);

/* The names of the file at the suffix of so many labels, as indexes of order->names, ascending; of
 * very many that say the same name only the first are given. */
size_t order_blocked_names(const struct order_blocked *blocked, const struct suffix_keys *keys,
                           unsigned labels, const uint32_t **indexes);
