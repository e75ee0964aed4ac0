/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A worker: one thread with an event base of its own and everything a query needs, shared with
 * nobody. Others reach it through its mailbox alone: an atomic pointer to the generation to adopt,
 * one to the upstream set, a flag to stop, and an eventfd that says "look".
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "forwarder/config/config.h"
#include "forwarder/counters.h"
#include "forwarder/random_pool.h"
#include "forwarder/stream/stream_handshakes.h"
#include "forwarder/upstream/upstream_env.h"

struct client_quota;
struct listen_quic;
struct listen_tcp;
struct listen_udp;
struct published;
struct quic_tickets;
struct stream_table;
struct upstream;
struct upstream_set;
struct upstream_tls;

/* What all workers are made from; outlives them. */
struct worker_shared {
    const struct config *config; /* for what only a start can change */
    unsigned workers;            /* how many there are */
    struct client_quota *quota;
    struct quic_tickets *tickets;      /* of QUIC, good at every worker */
    struct upstream_tls *upstream_tls; /* NULL if no upstream server has TLS */
    int notify; /* eventfd of the main thread: a generation was left, or the worker ended */
};

/* The sockets of one worker, bound but not read yet; one for each address and transport. */
struct worker_socket {
    int descriptor;                     /* the worker's to close */
    const struct config_listen *listen; /* what it is for; lives as long as the worker */
    bool wildcard; /* bound to all addresses: the local address of each query must be kept */
};

struct worker {
    unsigned index;
    const struct worker_shared *shared;
    pthread_t thread;

    struct event_base *base;
    struct upstream_clock clock;
    struct random_pool random;
    struct inflight *inflight;
    struct geo_memo *memo;
    struct udp_receiver *queries; /* batches of datagrams from clients */
    struct udp_receiver *answers; /* and from upstreams */
    struct upstream_env upstream_env;
    struct upstream *upstream;
    struct stream_table *streams;
    const struct timeval *stream_idle; /* tcp-idle, as the loop wants it */
    const struct timeval *stream_handshake_time;
    struct stream_handshakes handshakes; /* of TLS */
    struct listen_quic *quic;
    struct listen_udp **udp;
    size_t udp_count;
    struct listen_tcp **tcp;
    size_t tcp_count;
    struct published *published; /* in force here; NULL before the first */
    uint64_t set_number;         /* of the upstream set in use */
    bool stopping;
    bool overdue; /* stopping has taken its time */
    struct event *wake_event;
    struct event *stop_deadline;

    struct counters counters;

    /* The mailbox. */
    int wake;                            /* eventfd */
    _Atomic(struct published *) offered; /* the newest generation */
    _Atomic(struct upstream_set *) offered_set;
    _Atomic bool stop;
    _Atomic uint64_t signs_asked; /* of life */
    _Atomic uint64_t signs_given;
    _Atomic uint64_t oldest_published; /* number of the oldest generation in use here */
    _Atomic uint64_t adopted;          /* number of the generation in force here */
    _Atomic uint64_t oldest_set;
    _Atomic bool ended;
};

/* Makes a worker around bound sockets, which it takes over in any case, with its first generation
 * and upstream set. NULL with a reason. */
struct worker_setup {
    unsigned index;
    const struct worker_socket *sockets;
    size_t socket_count;
    struct published *published;
    struct upstream_set *set;
};
struct worker *worker_new(const struct worker_shared *shared, const struct worker_setup *setup,
                          char why[static WHY_MAX]);
void worker_free(struct worker *worker); /* its thread has been joined; NULL is allowed */

/* Starts the thread, with all signals blocked in it. */
bool worker_start(struct worker *worker, char why[static WHY_MAX]);

/* For the main thread: hand over, and wake it up. */
void worker_offer(struct worker *worker, struct published *published);
void worker_offer_set(struct worker *worker, struct upstream_set *set);

/* Asks the worker to take no more queries, to answer those in flight (at most 5 s), and to end.
 * Join it by worker_join. */
void worker_stop(struct worker *worker);
void worker_join(struct worker *worker);

/* Asks for a sign of life, and tells whether the last one that was asked for has been given: the
 * worker's loop goes round. */
void worker_ask_sign(struct worker *worker);
bool worker_gave_sign(const struct worker *worker);

/* Datagrams that the kernel dropped because the worker did not keep up, on its listening sockets.
 * May be called from the main thread. */
uint64_t worker_receive_drops(const struct worker *worker);

/* For the worker's own modules: something that holds this generation came, and has gone. */
void worker_hold(struct worker *worker, struct published *published);
void worker_release(struct worker *worker, struct published *published);
