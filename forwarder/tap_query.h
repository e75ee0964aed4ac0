/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a worker reports by dnstap: from queries, verdicts and answers to events. Called only if
 * there is a tap. Blocked queries have the order in the Policy of their messages; with `queries:
 * all` all other queries are reported too. No allocation, no lock, no system call.
 *
 *   a query      CLIENT_QUERY when it has been judged; with `queries: blocked` one that is blocked
 *                by what its answer held when that is known
 *   an answer    CLIENT_RESPONSE when it goes to the client
 */
#pragma once

#include "forwarder/query.h"

struct inflight_entry;
struct origin;
struct stream_transfer;
struct worker;

/* The query that is reported; everything is borrowed. */
struct tap_query {
    const struct origin *origin;
    const struct address *client;
    const struct query_ends *ends; /* NULL: not known */
    struct span message;
    const struct generation *generation; /* that it was judged by */
    uint64_t arrived_ms;                 /* monotonic */
};

struct tap_query tap_query_of(const struct inflight_entry *entry);

/* A query has been judged, and answered (an empty answer: it was not) or forwarded. shadow: the
 * match of an order with action shadow that would have blocked it, or NULL. */
void tap_query_judged(struct worker *worker, const struct tap_query *query,
                      const struct query_result *result, struct span answer,
                      const struct policy_match *shadow);

/* Something in upstream's answer to it is blocked: the client gets this answer instead (empty:
 * none).
 */
void tap_query_stopped(struct worker *worker, const struct tap_query *query,
                       const struct query_result *result, struct span answer);

/* This answer goes to the client: upstream's, or the one that is made if upstream has none. */
void tap_query_answered(struct worker *worker, const struct tap_query *query, struct span answer);

/* The same for the target that an order leads to. */
void tap_query_led(struct worker *worker, const struct inflight_entry *entry, struct span answer);

/* One message of a transfer goes to the client (QUERY_FORWARD), or it ends with what is in out. */
void tap_query_transfer(struct worker *worker, const struct stream_transfer *running,
                        struct span message, const struct query_result *result, const uint8_t *out);
