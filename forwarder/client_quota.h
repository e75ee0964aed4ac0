/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How many stream connections there are, in all and of each client, over all workers: the limits
 * tcp-connections and tcp-per-client. Taken when a connection is accepted and given back when it
 * closes, never on a query's path; so a lock is fine here. A client is an IPv4 address or an
 * IPv6 /64, the least that one subscriber holds.
 *
 * A client with too many connections is refused more. None of its others is closed for a new one:
 * behind one address it may be somebody else's. When all places are taken, reaper.h makes room.
 */
#pragma once

#include <stdbool.h>

#include "geo/address.h"

struct client_quota;

/* NULL when memory is out. */
struct client_quota *client_quota_new(unsigned connections, unsigned per_client);
void client_quota_free(struct client_quota *quota); /* NULL is allowed */

enum client_quota_fate {
    CLIENT_QUOTA_TAKEN,
    CLIENT_QUOTA_FULL,     /* all places are taken: another must go first */
    CLIENT_QUOTA_TOO_MANY, /* the client has as many as it may have, or memory is out */
};

/* Takes a place for one more connection of this client. */
enum client_quota_fate client_quota_take(struct client_quota *quota, const struct address *client);

/* The holder of places that belong to no single client: connections of peers that speak for others.
 * They count towards the total and have no limit of their own. No client has this address. */
extern const struct address CLIENT_QUOTA_NOBODY;

/* Moves a place from one holder to another. False, and nothing is moved, if the other has as many
 * as it may have, or memory is out. */
bool client_quota_move(struct client_quota *quota, const struct address *from,
                       const struct address *to);

/* Gives a taken place back. */
void client_quota_release(struct client_quota *quota, const struct address *client);

/* Connections that hold a place now. */
unsigned client_quota_connections(struct client_quota *quota);
