/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What one order says of an address: that of a client, and one in an answer. For the decision of
 * policies; no allocation, lock or system call.
 */
#pragma once

#include <stdbool.h>

#include "geo/network.h"

struct order;
struct order_rule;
struct policy_client;

/* The entry that decides: of all that hold the address the longest network, of two for one network
 * what passes, then `answers` of the order file, then its lists as they stand there. */
struct policy_hold {
    struct network network;
    bool passes;                   /* the address is free of this order */
    const struct order_rule *rule; /* NULL: the order's own action */
};

/* Is the client's address, or the IPv4 address in a 6to4 one, which decides where it is, in one of
 * the order's excepted networks? Of a client that is somewhere in a network: may it be? Of an order
 * that has such networks. */
bool policy_networks_excepted(const struct order *order, const struct policy_client *client);

/* Do the order's lists (RPZ-CLIENT-IP) hold the client, by either address? One that is somewhere in
 * a network is held by what holds all of it, and passes where any of it does. */
bool policy_networks_client(const struct order *order, const struct policy_client *client,
                            struct policy_hold *out);

/* Does the order, or do its lists (RPZ-IP), hold this address in an answer? */
bool policy_networks_answer(const struct order *order, const struct address *answer,
                            struct policy_hold *out);
