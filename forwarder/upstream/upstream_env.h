/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the sockets and streams towards upstreams share within a worker: its loop, clock, in-flight
 * table, random numbers, counters; and the one way in which an answer is recognised and handed on.
 * Who takes the answers is told by callbacks given at construction.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "forwarder/upstream/inflight.h"
#include "forwarder/wall_clock.h"

struct config_upstream;
struct counters;
struct event_base;
struct random_pool;
struct udp_receiver;
struct upstream;
struct upstream_tls;

/* The worker's clock, read once for each batch of events. */
struct upstream_clock {
    uint64_t us;     /* monotonic */
    uint64_t ms;     /* the same */
    int64_t seconds; /* since the epoch, UTC, as far as the system's clock is believed */
    struct wall_clock wall;
};

/* Reads the system's clocks. */
void upstream_clock_read(struct upstream_clock *clock);

/* Microseconds since the clock was read, which stays as it is. */
uint32_t upstream_clock_since(const struct upstream_clock *clock);

struct upstream_events {
    /* An answer with the client's ID in place, borrowed until on_batch_end (for the call alone if
     * the entry is streamed); the entry is taken out of the table after the call. */
    void (*on_answer)(void *ctx, const struct inflight_entry *entry, struct span answer);
    /* Nobody answered in time; the entry is taken out after the call. */
    void (*on_unanswered)(void *ctx, const struct inflight_entry *entry);
    /* The octets of the answers handed over so far will be used again. */
    void (*on_batch_end)(void *ctx);
    void *ctx;
};

struct upstream_env {
    struct event_base *base;
    struct inflight *inflight;
    struct random_pool *random;
    struct counters *counters;
    struct upstream_clock *clock;
    struct udp_receiver *receiver; /* for answers of all upstream sockets */
    const struct config_upstream *config;
    struct upstream_tls *tls; /* NULL if no server has it */
    int descriptor;           /* any open one (descriptors.h) */
    unsigned worker;
    bool keeps_ends;              /* entries have them whatever send-client says */
    size_t servers;               /* that may be asked now */
    _Atomic uint64_t *oldest_set; /* number of the oldest upstream set in use; for others to read */
    uint32_t channels;            /* numbers given to channels so far */
    struct upstream_events events;
    /* Asks again for an entry that waits on nothing; set by upstream_new. */
    void (*ask_again)(struct upstream *upstream, struct inflight_entry *entry);
    struct upstream *upstream;
};

/* Makes a new channel of a server. */
void upstream_channel_init(struct upstream_env *env, struct inflight_channel *channel,
                           struct upstream_server *server, struct upstream_counts *counts);

/* Registers an attempt under a random ID and writes that ID into the entry's message. False if the
 * entry has had its attempts or no free ID was found on the channel. */
bool upstream_attempt(struct upstream_env *env, struct inflight_entry *entry,
                      struct inflight_channel *channel);

/* The query that this message answers on this channel: its ID waits there, and it has the same
 * question (RFC 5452 section 4). NULL if there is none. Counts either, and how long it took. */
struct inflight_entry *upstream_match(struct upstream_env *env,
                                      const struct inflight_channel *channel, struct span message);

/* An answer where it was received. */
struct upstream_room {
    uint8_t *bytes;
    size_t size;
    size_t capacity; /* octets that may be written there */
};

/* Hands a matched answer on with the client's ID, and takes the entry; or asks again, if the answer
 * refuses what was told of the client (upstream_subnet.h). */
void upstream_deliver(struct upstream_env *env, struct inflight_entry *entry,
                      struct upstream_room answer);
