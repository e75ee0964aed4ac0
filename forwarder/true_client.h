/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who asks, and whose country counts, step by step:
 *
 *   the socket's peer ─► whom its PROXY header tells ─► whom an HTTP header tells ─► an ECS option
 *      (a fact)             trust.proxy-protocol           trust.forwarded-for        trust.ecs
 *
 * Each step is believed only if the address that the step before gave may speak for others in just
 * that way; so nobody can speak for another without trust, however many headers he sends. The first
 * three say who the client is (`allow`, cookies, limits, and his country); ECS says only whose
 * country counts. Where a trusted peer does not say for whom it speaks, or says it so that nobody
 * can read it, the country is unknown: the peer's own must not bind others.
 *
 * Pure but for the networks of the configuration; reads no clock, allocates nothing.
 */
#pragma once

#include <stdbool.h>

#include "forwarder/config/config.h"
#include "forwarder/query.h"
#include "forwarder/wire/proxy_header.h"

/* The peer itself; not over a stream, and without ends. */
struct query_client true_client_of_peer(const struct address *peer);

/* The client may speak for anybody, and has not said for whom: nobody knows whose country counts,
 * unless ECS tells. Who the client is, for all else, stays. */
void true_client_lose(struct query_client *client);

/* The client speaks for somebody whom it does not know or name. As above, and ECS, which may be of
 * that somebody, tells nothing. */
void true_client_hide(struct query_client *client);

/* Whom a PROXY header tells, which its sender, now the client, was trusted to send: with
 * PROXY_HEADER_LOCAL still the sender. Sets ends from a header that has them, and leaves them alone
 * otherwise. */
void true_client_proxied(struct query_client *client, const struct proxy_header *header,
                         struct query_ends *ends);

/* One entry of X-Forwarded-For or Forwarded, to be called from the last to the first until it says
 * false: the client is whom the entry tells, if whoever was the client before may say so. told is
 * NULL where the entry is no address ("unknown", an obfuscated name). False: whatever stands before
 * this entry does not count. */
bool true_client_forwarded(const struct config_trust *trust, struct query_client *client,
                           const struct address *told);

/* Whose country counts by the ECS option of the message (RFC 7871), if the client may say so.
 * SOURCE 0, and what is malformed or cannot be read: unknown. No option: the client's own. */
void true_client_ecs(const struct config_trust *trust, struct span message,
                     struct query_client *client);

/* May this address speak for others in any way? Then the connections that it holds are not counted
 * as one client's. */
bool true_client_speaks(const struct config_trust *trust, const struct address *address);
