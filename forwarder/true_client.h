/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who asks, and whose country counts, step by step:
 *
 *   the socket's peer ─► whom its PROXY header tells ─► whom an HTTP header tells ─► an ECS option
 *      (a fact)             trust.proxy-protocol           trust.forwarded-for        trust.ecs
 *
 * Each step is believed only if the address that the step before gave is trusted to speak for
 * others in just that way; so without trust nobody can speak for another, however many headers are
 * sent. The first three say who the client is (`allow`, cookies, limits, country); ECS says only
 * whose country counts. If a trusted peer does not say for whom it speaks, or says it in a way that
 * cannot be read, the country is unknown: the peer's own must not bind others.
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

/* The client may speak for anybody, and has not said for whom: whose country counts is unknown,
 * unless ECS tells. For everything else the client stays the same. */
void true_client_lose(struct query_client *client);

/* The client speaks for somebody whom it does not know or name. As above, and an ECS option, which
 * that somebody may have sent, is not believed. */
void true_client_hide(struct query_client *client);

/* The client becomes the one that a PROXY header names; the sender, which was the client so far,
 * was trusted to send it. With PROXY_HEADER_LOCAL it stays the sender. Sets ends from a header that
 * has them, and leaves them alone otherwise. */
void true_client_proxied(struct query_client *client, const struct proxy_header *header,
                         struct query_ends *ends);

/* One entry of X-Forwarded-For or Forwarded, to be called from the last to the first until it
 * returns false: the client becomes the one that the entry names, if the client so far is trusted
 * to say so. told is NULL if the entry is no address ("unknown", an obfuscated name). False:
 * entries before this one do not count. */
bool true_client_forwarded(const struct config_trust *trust, struct query_client *client,
                           const struct address *told);

/* Whose country counts by the ECS option of the message (RFC 7871), if the client may say so.
 * SOURCE 0, and what is malformed or cannot be read: unknown. No option: the client's own. */
void true_client_ecs(const struct config_trust *trust, struct span message,
                     struct query_client *client);

/* May this address speak for others in any way? Then the connections that it holds are not counted
 * as one client's. */
bool true_client_speaks(const struct config_trust *trust, const struct address *address);
