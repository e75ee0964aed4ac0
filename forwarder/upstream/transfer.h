/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A zone transfer (AXFR, RFC 5936; IXFR, RFC 1995; over TLS, RFC 9103) of a stream client: an
 * upstream connection of its own, whose messages are relayed, however many they are, until a side
 * closes. Nothing but the ID is changed; messages that do not belong to the query are dropped.
 *
 *   connecting ──► asked ──► relaying ──► ended (upstream closed) or idle (nothing for tcp-idle)
 *        │           └────► unanswered: nothing came within timeout, counted from the start
 *        └──► another server, if this one refuses, closes or takes longer than retry-after
 */
#pragma once

#include "forwarder/upstream/upstream.h"
#include "forwarder/wire/span.h"

struct published;
struct transfer;

enum transfer_end {
    TRANSFER_UNANSWERED, /* no server gave a first message in time: the client gets SERVFAIL */
    TRANSFER_REFUSED,    /* on_message did not take the first message */
    TRANSFER_CLOSED,     /* after at least one message upstream closed, or one was not taken */
    TRANSFER_IDLE,       /* upstream has said nothing for long; most likely it is complete */
};

struct transfer_events {
    /* One message with the client's ID in place, borrowed for the call. False: the client is to get
     * no more of them, and the transfer ends. */
    bool (*on_message)(void *ctx, struct transfer *transfer, struct span message);
    /* The transfer is over; to be freed by the callee. */
    void (*on_end)(void *ctx, struct transfer *transfer, enum transfer_end end);
    void *ctx;
};

/* How the query was judged, so that what comes back is judged alike; kept, not looked at here. */
struct transfer_mark {
    struct published *published; /* NULL: what comes back is not read */
    int64_t now;                 /* seconds since the epoch */
    struct place place;          /* of the client */
    struct address subject;      /* whose that is */
    uint8_t spread;              /* of the subject (query.h) */
};

struct transfer_request {
    struct span query; /* copied */
    struct address client;
    const struct query_ends *ends; /* for who is told of them; copied, or NULL */
    unsigned idle_ms;
    struct transfer_mark mark;
};

/* Is this query (with one readable question) one for a transfer? */
bool transfer_wanted(struct span query);

/* Connects and asks. NULL when no server could be tried. Callbacks come from the loop only. */
struct transfer *transfer_new(struct upstream_env *env, struct upstream *upstream,
                              const struct transfer_request *request,
                              const struct transfer_events *events);
void transfer_free(struct transfer *transfer); /* NULL is allowed */

/* The query, with the client's ID. */
struct span transfer_query(const struct transfer *transfer);
const struct address *transfer_client(const struct transfer *transfer);
const struct query_ends *transfer_ends(const struct transfer *transfer); /* may be NULL */
const struct transfer_mark *transfer_mark(const struct transfer *transfer);

/* Stops or goes on reading from upstream, when the client does not keep up. */
void transfer_pause(struct transfer *transfer, bool pause);
