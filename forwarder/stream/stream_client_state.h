/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a connection is made of, as its parts share it: stream_client.c (its life, and queries in),
 * stream_client_send.c (answers out, and who does not read them) and stream_client_access.c (what
 * protocols may know of it). Nobody else includes this.
 */
#pragma once

#include "forwarder/reaper.h"
#include "forwarder/stream/stream_client.h"
#include "forwarder/stream/stream_handshakes.h"
#include "forwarder/stream/stream_protocol.h"
#include "forwarder/stream/stream_table.h"
#include "forwarder/stream/stream_transfers.h"
#include "forwarder/unread.h"

struct bufferevent;
struct event;

/* What a worker's connections have in common. */
struct stream_clients {
    struct stream_table *table;
    struct stream_handshakes handshakes; /* of TLS */
    /* Durations, as the loop wants them. */
    const struct timeval *idle; /* tcp-idle */
    const struct timeval *handshake;
    const struct timeval *unread; /* of who leaves too much unread */
};

struct stream_client {
    struct stream_place place; /* first: the one is found by the other */
    struct reaper_entry activity;
    struct worker *worker;
    const struct config_listen *listen;
    struct address peer;
    struct address holder; /* of the place in the quota */
    struct query_ends ends;
    bool unknown; /* a PROXY header did not tell who asks */
    const struct stream_protocol *protocol;
    void *state; /* the protocol's */
    struct bufferevent *transport;
    struct event *idle;
    unsigned due;          /* answers of upstreams still to come */
    uint64_t taken;        /* queries */
    struct unread reading; /* read is what has left for the client */
    bool handshaking;      /* TLS */
    struct stream_handshake handshake;
    bool draining; /* no more octets will come, or none are wanted */
    bool leaving;  /* because none are wanted: what came meanwhile is read once more at the end */
    struct stream_transfers transfers;
};

/* stream_client_send.c */

/* Begins to count what leaves. False when memory is out. */
bool stream_client_watch_output(struct stream_client *client);
void stream_client_ignore_output(struct stream_client *client);

/* Its time of idleness begins anew; with too much unread, only when the client has read. */
void stream_client_begin_idle(struct stream_client *client);

/* The same, whatever is unread. */
void stream_client_renew_idle(struct stream_client *client);

/* When that time is over: has the client read as much as it must? */
bool stream_client_reads(const struct stream_client *client);

/* Does the client leave much unread? */
bool stream_client_is_slow(const struct stream_client *client);
