/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Clients over QUIC (RFC 9250) in one worker: their connections, in a table of slots with serial
 * numbers, so that an answer finds its stream or learns that it is gone. What a query means is its
 * owner's business: queries go up by a callback, answers come down by calls.
 *
 * The client of a connection is the address that its first packets came from, for as long as the
 * connection lives: packets from another port are taken, those from another address are not (RFC
 * 9000 section 9). So nobody can carry a connection, and with it a country, to another place.
 *
 * Limits: tcp-connections and tcp-per-client count connections over QUIC too, from the moment that
 * the client's address is certain; with tcp-connections open, the least active of any kind gives
 * way (reaper.h). Of handshakes, QUIC_TABLE_UNSURE may run whose address is not certain; then each
 * must bring a token (Retry) first. With QUIC_TABLE_HANDSHAKES running, the oldest gives way. A
 * connection with nothing in flight, no unread answer and no whole query for tcp-idle is closed.
 * One with more than stream-output octets that are not acknowledged must acknowledge an eighth of
 * stream-output in each UNREAD_MS (or tcp-idle, if that is less); with UNREAD_TIMES
 * stream-output it is closed (unread.h). With the in-flight table full, queries wait
 * in their connections, whose clients get no more credit.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forwarder/origin.h"
#include "forwarder/unread.h"
#include "forwarder/wire/span.h"
#include "geo/address.h"

#define QUIC_TABLE_STREAMS 100U     /* streams of a connection at once */
#define QUIC_TABLE_UNSURE 64U       /* handshakes with an address that may be forged */
#define QUIC_TABLE_HANDSHAKES 1024U /* handshakes in all */

struct config_limits;
struct counters;
struct event_base;
struct quic_table;
struct quic_tickets;
struct reaper;
struct udp_receiver;

struct quic_query {
    struct origin_stream origin;
    struct address client;
    union origin_peer peer; /* where the connection began, and what it asked */
    union origin_peer local;
    uint8_t *message; /* borrowed for the call; may be written to */
    size_t size;
};

struct quic_env {
    struct event_base *base;
    const struct config_limits *limits;
    struct reaper *reaper; /* of the worker's connections, which takes their places in the quota */
    struct counters *counters;
    struct udp_receiver *receiver; /* for datagrams of all endpoints */
    const struct quic_tickets *tickets;
    unsigned worker;
    unsigned answer_ms; /* how long an answer of upstream may take */
    /* For whom this client's connections hold places in the quota. */
    struct address (*holder)(void *ctx, const struct address *client);
    /* Is there room in flight for a query of this size? */
    bool (*has_room)(void *ctx, size_t size);
    /* A query. It is answered by quic_table_answer, either inside this call, or later if
     * quic_table_expect was called inside it; else never. False: the client breaks the protocol,
     * and is told so. */
    bool (*on_query)(void *ctx, const struct quic_query *query);
    /* A batch of datagrams begins, and ends. */
    void (*on_batch)(void *ctx);
    void (*on_batch_end)(void *ctx);
    void *ctx;
};

/* NULL when memory is out. */
struct quic_table *quic_table_new(const struct quic_env *env);

/* Closes all, and tells the clients. Its endpoints are freed after it. NULL is allowed. */
void quic_table_free(struct quic_table *table);

/* Connections, handshakes included. */
size_t quic_table_count(const struct quic_table *table);

/* Takes no more queries or connections; connections close as their answers have been received. */
void quic_table_drain(struct quic_table *table);

/* For the stream that an origin names, if it is still there: an answer is due, is here, or will not
 * come. Answers leave with the next quic_table_flush. */
void quic_table_expect(struct quic_table *table, const struct origin_stream *origin);
void quic_table_answer(struct quic_table *table, const struct origin_stream *origin,
                       struct span answer);
void quic_table_forgo(struct quic_table *table, const struct origin_stream *origin);

/* Goes on with queries that waited for room in flight. */
void quic_table_resume(struct quic_table *table);

/* Sends what has become due. */
void quic_table_flush(struct quic_table *table);
