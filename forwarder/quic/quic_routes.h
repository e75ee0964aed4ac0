/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which connection a packet belongs to, by its destination connection ID: a hash table that grows.
 * Each connection keeps a list of its own routes, so that they go with it. IDs that clients choose
 * are in it too (of their first packets), so buckets are chosen by a keyed hash.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forwarder/wire/span.h"

#define QUIC_ROUTES_ID_MAX 20U /* octets of an ID (RFC 9000 section 17.2) */

struct quic_route; /* one ID; a list of them is a pointer to its first, NULL if empty */
struct quic_routes;

/* key: unpredictable. NULL when memory is out. */
struct quic_routes *quic_routes_new(uint64_t key);
void quic_routes_free(struct quic_routes *routes); /* all lists are empty; NULL is allowed */

/* Leads packets with this ID to the owner, and puts the route on the owner's list. False if the ID
 * is empty or too long, is in the table already, or memory is out. */
bool quic_routes_add(struct quic_routes *routes, struct span id, void *owner,
                     struct quic_route **list);

/* The owner of an ID, or NULL. */
void *quic_routes_find(const struct quic_routes *routes, struct span id);

/* Forgets one ID of the list (nothing, if it is not there), or all of them. */
void quic_routes_remove(struct quic_routes *routes, struct span id, struct quic_route **list);
void quic_routes_clear(struct quic_routes *routes, struct quic_route **list);

size_t quic_routes_count(const struct quic_routes *routes);
