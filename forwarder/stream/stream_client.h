/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Connections of clients over streams (RFC 7766, RFC 7858), in one worker: queries pipelined,
 * answered in any order. A connection is bytes, in clear or by TLS, and what is spoken over them
 * (stream_protocol.h). Here is what all have in common: who asks, what is due, and the limits.
 *
 * Limits: a connection that has no complete query, no unread answer and nothing in flight for
 * tcp-idle is closed; so is one that reads nothing for tcp-idle. One with more than stream-output
 * octets unread must read an eighth of stream-output in each UNREAD_MS (or tcp-idle, if that is
 * less); with UNREAD_TIMES stream-output unread it is closed at once (unread.h). It
 * is not read while the in-flight table is full, while it has STREAM_CLIENT_PIPELINE queries
 * waiting, or half of stream-output unread. After a half-close all answers due are still sent. A
 * handshake of TLS has STREAM_CLIENT_HANDSHAKE_MS (or tcp-idle, if that is less) from its first
 * octet to its last; a quarter of tcp-connections may wait for theirs in a worker, then the oldest
 * gives way. With tcp-connections open, the least active one gives way to the next (reaper.h).
 *
 *   handshake (TLS) ──► reading ◄──► stalled (not read for now) ──► draining (client sent FIN, or
 *      │                   │          the daemon stops: answers due are sent) ──► closed
 *      └───────────────────┴───────► doomed (broken, or over a limit): closed from the loop, never
 *                                    inside a call
 */
#pragma once

#include <stdbool.h>

#include "forwarder/origin.h"
#include "forwarder/query.h"
#include "forwarder/wire/span.h"
#include "geo/address.h"

#define STREAM_CLIENT_PIPELINE 256 /* queries of one connection that wait at once */
#define STREAM_CLIENT_HANDSHAKE_MS 10000U

struct config_address;
struct config_listen;
struct stream_clients;
struct transfer_mark;
struct worker;

/* A connection as it comes to be served. */
struct stream_opening {
    int descriptor;                     /* accepted, not blocking; nothing of it taken but a PROXY
                                           header that stood before everything else */
    const struct config_listen *listen; /* what the listener is for; lives as long as the worker */
    struct address peer;                /* who is connected */
    struct address holder;              /* for whom a place in the quota is held */
    struct query_ends ends;             /* who asks whom: the socket's ends, or a PROXY header's */
    bool unknown;                       /* such a header did not tell who asks */
};

/* A worker's connections. NULL when memory is out. */
struct stream_clients *stream_clients_new(struct worker *worker);
void stream_clients_free(struct stream_clients *clients); /* closes all; NULL is allowed */

size_t stream_clients_count(const struct stream_clients *clients);

/* Goes on, from the loop, with queries that waited for room in flight. */
void stream_clients_resume(struct stream_clients *clients);

/* Takes over descriptor and quota of the opening in any case. The listener says whether TLS comes
 * first; without a certificate that could be used the connection is closed. */
void stream_client_open(struct worker *worker, const struct stream_opening *opening);

/* Ends connections in good order: what their clients have asked so far is answered. Only those to
 * this address; NULL: all. */
void stream_client_drain(struct worker *worker, const struct config_address *address);

/* One more answer is due to the connection that an origin names, if it is still the same one. */
void stream_client_expect(struct stream_clients *clients, const struct origin_stream *origin);

/* Sends an answer that was due; lost if the connection is gone. */
void stream_client_answer(struct stream_clients *clients, const struct origin_stream *origin,
                          struct span answer);

/* One of the answers that were due will not come: the order's action is drop. */
void stream_client_forgo(struct stream_clients *clients, const struct origin_stream *origin);

/* May zone transfers be relayed over this connection? */
bool stream_client_transfers(struct stream_clients *clients, const struct origin_stream *origin);

/* Starts a zone transfer for the connection, which holds the generation of its mark until it ends.
 * False if no server could be asked, or the process is short of descriptors. */
bool stream_client_transfer(struct stream_clients *clients, const struct origin_stream *origin,
                            struct span query, const struct transfer_mark *mark);
