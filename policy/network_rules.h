/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Networks and a number for each, sealed once; the longest network that holds an address decides.
 * Immutable; asked on a query's path without allocation, lock or system call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "geo/network.h"

struct network_rules;

struct network_rule {
    struct network network;
    uint32_t rule;
};

/* Copies count entries; of two for one network the first stays. NULL when count is 0 or memory is
 * out. */
struct network_rules *network_rules_new(const struct network_rule *entries, size_t count);
void network_rules_free(struct network_rules *rules); /* NULL is allowed */

/* NULL holds nothing. */
size_t network_rules_count(const struct network_rules *rules);

/* One of them, below the count; longer networks stand first. Borrowed. */
const struct network_rule *network_rules_at(const struct network_rules *rules, size_t index);

/* The entry of the longest network that holds the address; NULL if none does. Borrowed. */
const struct network_rule *network_rules_find(const struct network_rules *rules,
                                              const struct address *address);

/* The entry of the longest network that holds every address of this one; NULL if none does. */
const struct network_rule *network_rules_find_network(const struct network_rules *rules,
                                                      const struct network *network);

/* Is there an entry with this number for a longer network inside this one? */
bool network_rules_inside(const struct network_rules *rules, const struct network *network,
                          uint32_t rule);
