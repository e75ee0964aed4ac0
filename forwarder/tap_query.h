/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a worker tells dnstap: from queries, verdicts and answers to events. Called only where there
 * is a tap. Blocked queries have the order in the Policy of their messages; with `queries: all`
 * those of everybody else are told too. No allocation, no lock, no system call.
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

/* The query that something is told of; all is borrowed. */
struct tap_query {
    const struct origin *origin;
    const struct address *client;
    const struct query_ends *ends; /* NULL: not known */
    struct span message;
    const struct generation *generation; /* that it was judged by */
    uint64_t arrived_ms;                 /* monotonic */
};

struct tap_query tap_query_of(const struct inflight_entry *entry);

/* A query has been judged, and answered (answer is empty: it was not) or asked upstream. shadow:
 * what would block it were its order not one that is only counted; or NULL. */
void tap_query_judged(struct worker *worker, const struct tap_query *query,
                      const struct query_result *result, struct span answer,
                      const struct policy_match *shadow);

/* Something in the answer to it is blocked, and it was answered (or not) so instead. */
void tap_query_stopped(struct worker *worker, const struct tap_query *query,
                       const struct query_result *result, struct span answer);

/* The answer goes to the client: that of upstream, or where upstream has none. */
void tap_query_answered(struct worker *worker, const struct tap_query *query, struct span answer);

/* The same for the target that an order leads to. */
void tap_query_led(struct worker *worker, const struct inflight_entry *entry, struct span answer);

/* One message of a transfer goes to the client (QUERY_FORWARD), or it ends with what is in out. */
void tap_query_transfer(struct worker *worker, const struct stream_transfer *running,
                        struct span message, const struct query_result *result, const uint8_t *out);
