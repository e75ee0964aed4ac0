/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who gives way when all places for stream connections are taken (limits.tcp-connections): one
 * worker's connections over TCP, TLS, HTTPS and QUIC, in two queues.
 *
 *   newcomers   that have not asked anything yet, the one that came first in front
 *   known       that have asked, the one whose last whole query is longest ago in front
 *
 * While newcomers hold more than a quarter of the worker's places the first newcomer is closed,
 * else the first known one. So connections that stay silent, dribble, or never end a handshake
 * displace each other, and none that asks; one that asks once and stays is displaced by those that
 * ask; and a newcomer always has time for its first query. One that waits for answers is spared
 * (reaper_kind.spared).
 *
 * The places are those of all workers (client_quota.h), but each worker makes room among its own
 * connections, which it alone knows: no lock, and only a few pointers move when queries have come.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "geo/address.h"

struct client_quota;
struct counters;
struct reaper;
struct reaper_entry;

/* What a kind of connection is asked, and told. */
struct reaper_kind {
    /* Is it to be spared now? Answers are to come, and it reads them. */
    bool (*spared)(const struct reaper_entry *entry);
    /* It is to be closed, and to give back its place in the quota before this returns. Its entry
     * has left already. */
    void (*reap)(struct reaper_entry *entry);
};

/* Of one connection that holds a place; part of it. */
struct reaper_entry {
    struct reaper *reaper; /* NULL: not entered */
    const struct reaper_kind *kind;
    bool known;
    TAILQ_ENTRY(reaper_entry) link;
};

TAILQ_HEAD(reaper_queue, reaper_entry);

struct reaper {
    struct client_quota *quota;
    struct counters *counters;
    struct reaper_queue newcomers;
    struct reaper_queue known;
    size_t newcomer_count;
    size_t known_count;
};

void reaper_init(struct reaper *reaper, struct client_quota *quota, struct counters *counters);

/* Takes a place in the quota for a connection of this client, if need be that of another connection
 * of this worker, which is closed; never of one that a caller up the stack is working on. False:
 * the client has as many as it may have, or no connection here can be closed. */
bool reaper_admit(struct reaper *reaper, const struct address *client);

/* The connection holds a place: a newcomer. */
void reaper_enter(struct reaper *reaper, struct reaper_entry *entry,
                  const struct reaper_kind *kind);

/* Whole queries have come. Nothing if it has not entered. */
void reaper_useful(struct reaper_entry *entry);

/* It ends. Nothing if it has not entered, or left. */
void reaper_leave(struct reaper_entry *entry);
