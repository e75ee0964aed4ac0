/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One server's TCP or TLS connections in one worker (RFC 7766, RFC 7858): opened when needed,
 * shared by the queries of many clients, pipelined, answered in any order, closed when idle. A new
 * one is opened while those there are busy, up to UPSTREAM_STREAMS. When a connection breaks, each
 * query that waited on it is given back through a callback; a connection that never came up is told
 * apart. One that is refused because of its certificate keeps the server out of use for
 * UPSTREAM_STREAM_REFUSED_MS.
 *
 * With `send-client: proxy-protocol` a connection carries the queries of one client's address and
 * port alone, as its first octets told; there may be UPSTREAM_STREAMS_PROXIED of them, and an idle
 * one makes room for a new one. One that was opened for a datagram is closed when it is answered:
 * its client's next one comes from another port.
 *
 *   connecting ──► open ──► idle (nothing waits) ──► closed after UPSTREAM_STREAM_IDLE_MS
 *        │           └────► stale (a query was not answered on it): no new queries, closed when
 *        │                  empty
 *        └──► failed: refused, or not up within retry-after (timeout, if there is no other server)
 */
#pragma once

#include <stdbool.h>

#include "forwarder/upstream/upstream_env.h"
#include "forwarder/upstream/upstream_set.h"

#define UPSTREAM_STREAMS 4
#define UPSTREAM_STREAMS_PROXIED 1024
#define UPSTREAM_STREAM_BUSY 64 /* queries waiting on a stream before another is opened */
#define UPSTREAM_STREAM_IDLE_MS 10000
#define UPSTREAM_STREAM_REFUSED_MS 5000

struct upstream_streams;

/* A query whose connection to this server broke before its answer came; its attempt is undone, but
 * it may wait on others. reached: the server had taken the connection. */
typedef void upstream_stream_broken_fn(void *ctx, struct inflight_entry *entry,
                                       struct upstream_server *server, bool reached);

struct upstream_streams *upstream_streams_new(struct upstream_env *env,
                                              struct upstream_server *server,
                                              struct upstream_target *target,
                                              upstream_stream_broken_fn *on_broken, void *ctx);

/* Closes everything; no query may wait on it. NULL is allowed. */
void upstream_streams_free(struct upstream_streams *streams);

/* May the server be asked now, as far as its certificate tells? */
bool upstream_streams_usable(const struct upstream_streams *streams);

/* Queues the entry's query. False if no connection could be had or no ID was free. */
bool upstream_streams_send(struct upstream_streams *streams, struct inflight_entry *entry);

/* The entry has waited for long: streams of its attempts that have answered nothing since it was
 * asked take no more queries. True if there was such a one. */
bool upstream_streams_doubt(const struct inflight_entry *entry);

/* The same, and the entry's attempts on streams are undone: it is about to be given up. */
void upstream_streams_give_up(struct inflight_entry *entry);
