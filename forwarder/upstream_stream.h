/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One server's TCP connections in one worker (RFC 7766): opened when needed, shared by the queries
 * of many clients, pipelined, answered in any order, closed when idle. A new one is opened while
 * those there are busy, up to UPSTREAM_STREAMS. When a connection breaks, each query that waited on
 * it is given back through a callback; a connection that never came up is told apart.
 *
 *   connecting ──► open ──► idle (nothing waits) ──► closed after UPSTREAM_STREAM_IDLE_MS
 *        │           └────► stale (a query was given up on it): no new queries, closed when empty
 *        └──► failed: refused, or not up within retry-after (timeout, if there is no other server)
 */
#pragma once

#include <stdbool.h>

#include "forwarder/upstream_env.h"
#include "forwarder/upstream_set.h"

#define UPSTREAM_STREAMS 4
#define UPSTREAM_STREAM_BUSY 64 /* queries waiting on a stream before another is opened */
#define UPSTREAM_STREAM_IDLE_MS 10000

struct upstream_streams;

/* A query whose connection broke before its answer came; its attempt is undone. reached: the server
 * had taken the connection. */
typedef void upstream_stream_broken_fn(void *ctx, struct inflight_entry *entry, bool reached);

struct upstream_streams *upstream_streams_new(struct upstream_env *env,
                                              struct upstream_server *server,
                                              struct upstream_target *target,
                                              upstream_stream_broken_fn *on_broken, void *ctx);

/* Closes everything; no query may wait on it. NULL is allowed. */
void upstream_streams_free(struct upstream_streams *streams);

/* Queues the entry's query. False if no connection could be had or no ID was free. */
bool upstream_streams_send(struct upstream_streams *streams, struct inflight_entry *entry);

/* The entry, which waits on a stream, is about to be given up: a stream that has answered nothing
 * since it was asked takes no more queries. */
void upstream_streams_give_up(struct inflight_entry *entry);
