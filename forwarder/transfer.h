/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A zone transfer (AXFR, RFC 5936; IXFR, RFC 1995) of a stream client: an upstream connection of
 * its own, whose messages are relayed, however many they are, until a side closes. Nothing but the
 * ID is changed; messages that do not belong to the query are dropped.
 *
 *   connecting ──► asked ──► relaying ──► ended (upstream closed) or idle (nothing for tcp-idle)
 *        │           └────► unanswered: nothing came within timeout, counted from the start
 *        └──► another server, if this one refuses, closes or takes longer than retry-after
 */
#pragma once

#include "forwarder/upstream.h"
#include "forwarder/wire/span.h"

struct transfer;

enum transfer_end {
    TRANSFER_UNANSWERED, /* no server gave a first message in time: the client gets SERVFAIL */
    TRANSFER_CLOSED,     /* upstream closed after at least one message */
    TRANSFER_IDLE,       /* upstream has said nothing for long; most likely it is complete */
};

struct transfer_events {
    /* One message with the client's ID in place, borrowed for the call. */
    void (*on_message)(void *ctx, struct transfer *transfer, struct span message);
    /* The transfer is over; to be freed by the callee. */
    void (*on_end)(void *ctx, struct transfer *transfer, enum transfer_end end);
    void *ctx;
};

struct transfer_request {
    struct span query; /* copied */
    struct address client;
    unsigned idle_ms;
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

/* Stops or goes on reading from upstream, when the client does not keep up. */
void transfer_pause(struct transfer *transfer, bool pause);
