/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The queries of one worker that wait for an answer: a bounded table, all of its memory reserved at
 * the start. An entry keeps a copy of its query (to ask another server, to compare the question, to
 * answer SERVFAIL), where the answer goes, and up to INFLIGHT_ATTEMPTS attempts. An attempt is a
 * channel (an upstream socket or stream) and the random ID used on it; (channel, ID) is unique.
 * Where upstream is asked something else than the client asked (an order's action cname, or
 * `send-client: ecs`), the query is one of our own, and the client's stands behind it.
 *
 * Invariant: an entry is on the list of deadlines from inflight_add to inflight_take; it is on
 * the list of retries only between inflight_await_retry and inflight_due_retry or inflight_take.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "forwarder/origin.h"
#include "forwarder/query.h"
#include "forwarder/upstream/client_subnet.h"
#include "forwarder/wire/span.h"
#include "geo/address.h"
#include "geo/subdivision.h"
#include "policy/policy.h"

#define INFLIGHT_ATTEMPTS 4
#define INFLIGHT_SMALL 512  /* octets of a query kept in its entry's own room */
#define INFLIGHT_LARGE 2048 /* longer queries that can wait at once */

struct published;
struct inflight;
struct upstream_counts;
struct upstream_server;

/* An upstream socket or stream as attempts refer to it; embedded in both. */
struct inflight_channel {
    uint32_t number;                /* unique in the worker */
    uint32_t in_flight;             /* attempts that wait on it */
    bool stream;                    /* of upstream_stream.h, not a socket of upstream_udp.h */
    struct upstream_counts *counts; /* of its server, in this worker */
    struct upstream_server *server; /* whose channel it is; opaque here */
};

struct inflight_attempt {
    struct inflight_channel *channel;
    uint32_t asked_us; /* when, as upstream_clock.us: the low bits, for differences */
    uint16_t id;
    uint32_t next; /* in the hash chain: a reference, 0 ends it */
};

struct inflight_entry {
    struct origin origin;
    struct address client;       /* who asked */
    struct address subject;      /* whose country counted */
    uint8_t spread;              /* of the subject (query.h) */
    struct published *published; /* the generation the query was judged by */
    int64_t now;                 /* the time it was judged at, seconds since the epoch */
    uint64_t arrived_ms;         /* monotonic */
    uint64_t asked_ms;           /* monotonic, the last attempt */
    uint8_t *message;            /* the query; its ID is the last attempt's */
    uint32_t message_size;
    uint16_t client_id;
    struct place place; /* of the client, as it was judged */
    bool retry;         /* another server may be asked */
    bool reads_answer;  /* the answer is to be judged (query_answer.h) */
    bool leads;         /* message is our own: the target of an order is asked for */
    bool aliased;       /* and an alias in the answer to the client's query led there */
    bool streamed;      /* its answer came by a stream: borrowed for the call alone */
    bool awaits_retry;
    uint8_t tries; /* how often it was sent, attempts that broke included */
    uint8_t attempt_count;
    enum client_subnet subnet; /* how message differs from the client's */
    uint32_t original_size;    /* 0: message is the client's */
    uint32_t large;            /* index of its large room + 1, or 0 */
    uint8_t *original;         /* the client's query, with its ID, where message is another one */
    struct policy_match match; /* if it leads: what led there */
    struct inflight_attempt attempts[INFLIGHT_ATTEMPTS];
    TAILQ_ENTRY(inflight_entry) deadline;
    TAILQ_ENTRY(inflight_entry) retries;
    struct query_ends ends; /* with `send-client: proxy-protocol` or dnstap; zeroed: nobody's */
};

TAILQ_HEAD(inflight_queue, inflight_entry);

/* Room for capacity queries, touched only as it is used. NULL when memory is out. */
struct inflight *inflight_new(size_t capacity);
void inflight_free(struct inflight *inflight); /* NULL is allowed */

/* May be called from another thread. */
size_t inflight_count(const struct inflight *inflight);

/* Is there room for a message of this size? Not if the table is full or, for one over
 * INFLIGHT_SMALL, the rooms for such. */
bool inflight_has_room(const struct inflight *inflight, size_t size);

/* A new entry with a copy of the message (its size is at least a header's), or NULL if there is no
 * room. The caller fills in origin to now, client_id, place and retry, and ends if anybody is to be
 * told of them; reads_answer, leads and aliased are false, and match is unset. */
struct inflight_entry *inflight_add(struct inflight *inflight, struct span message,
                                    uint64_t now_ms);

/* The same for a query of our own (message) in place of the client's (original): original and
 * original_size are set. No room for two that together are longer than a large room. */
struct inflight_entry *inflight_add_own(struct inflight *inflight, struct span message,
                                        struct span original, uint64_t now_ms);

/* Registers an attempt; false if that ID waits on that channel already, or the entry has all the
 * attempts that it can have. */
bool inflight_attempt(struct inflight *inflight, struct inflight_entry *entry,
                      struct inflight_channel *channel, uint16_t id);

/* Forgets what the entry waits for on this channel (it broke before an answer came), or on any
 * (NULL); the entry stays. False if it did not wait there. */
bool inflight_abandon(struct inflight *inflight, struct inflight_entry *entry,
                      const struct inflight_channel *channel);

/* All entries, one after the other, the oldest first; the first for NULL. NULL at the end. */
struct inflight_entry *inflight_next(const struct inflight *inflight,
                                     const struct inflight_entry *entry);

/* The entry that waits for this ID on this channel, or NULL; borrowed. */
struct inflight_entry *inflight_find(const struct inflight *inflight,
                                     const struct inflight_channel *channel, uint16_t id);

/* Removes the entry and all its attempts; its memory may be used again by the next inflight_add. */
void inflight_take(struct inflight *inflight, struct inflight_entry *entry);

/* The query as its client sent it, with its ID; borrowed from the entry. */
struct span inflight_client_query(const struct inflight_entry *entry);

/* Puts the entry behind all others that wait for a retry, as it was asked just now. */
void inflight_await_retry(struct inflight *inflight, struct inflight_entry *entry);

/* The next entry that was asked at or before asked_ms and awaits a retry, taken off that list; or
 * NULL. */
struct inflight_entry *inflight_due_retry(struct inflight *inflight, uint64_t asked_ms);

/* The next entry that arrived at or before arrived_ms, or NULL; it stays until inflight_take. */
struct inflight_entry *inflight_overdue(struct inflight *inflight, uint64_t arrived_ms);

/* When the next entry falls due, given how long after asked_ms a retry and after arrived_ms the end
 * comes. False if nothing waits. */
bool inflight_next_due(const struct inflight *inflight, uint64_t retry_ms, uint64_t timeout_ms,
                       uint64_t *due_ms);
