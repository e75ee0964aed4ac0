/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The servers behind, in one worker: which one is asked, when the next one is asked too, and when a
 * query is given up. Datagrams go over upstream_udp, messages of streams over upstream_stream; all
 * of them over the latter to a server with TLS.
 *
 * A query that came by UDP: asked of one server; after retry-after (opcode QUERY only) of the next
 * one too, up to INFLIGHT_ATTEMPTS; the first valid answer wins; after timeout SERVFAIL. A query
 * that came by a stream: asked of one server; of another one only if the connection breaks.
 */
#pragma once

#include "forwarder/upstream/upstream_env.h"
#include "forwarder/upstream/upstream_set.h"

/* How often a query is sent over streams that break before it is given up. */
#define UPSTREAM_TRIES 8

struct upstream;

/* env outlives it. NULL when memory is out. */
struct upstream *upstream_new(struct upstream_env *env);
void upstream_free(struct upstream *upstream); /* NULL is allowed */

/* Uses this set, and its configuration, from now on. Servers that it shares with the one before
 * keep their sockets; others are left once their last query is done, and env->oldest_set tells. A
 * server whose sockets cannot be opened is logged, left out, and tried again after a few seconds.
 */
void upstream_adopt(struct upstream *upstream, struct upstream_set *set);

/* Asks a server for an entry just added, at the latest with upstream_flush, which is due. False if
 * none could be asked; the entry is the caller's to take. */
bool upstream_ask(struct upstream *upstream, struct inflight_entry *entry);

/* Sends what the last upstream_ask calls have queued, and sees to it that their queries end. */
void upstream_flush(struct upstream *upstream);

/* The server that would be asked for this client; another one than avoid (may be NULL) if there is
 * any. NULL if there is no server. Borrowed until the next upstream_adopt. */
struct upstream_target *upstream_choose(struct upstream *upstream, const struct address *client,
                                        const struct upstream_target *avoid);

/* Is this (still) one of the servers? target is not looked into. */
bool upstream_lists(const struct upstream *upstream, const struct upstream_target *target);
