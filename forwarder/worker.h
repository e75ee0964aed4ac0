/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A worker: one thread with an event base of its own and everything a query needs, shared with
 * nobody. Others reach it through its mailbox alone: atomic pointers to the generation to adopt, to
 * the upstream set and to the list of sockets, a word on how it is to end, and an eventfd that says
 * "look".
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "forwarder/coalescing.h"
#include "forwarder/config/config.h"
#include "forwarder/counters.h"
#include "forwarder/listeners.h"
#include "forwarder/name_turns.h"
#include "forwarder/published.h"
#include "forwarder/random_pool.h"
#include "forwarder/reaper.h"
#include "forwarder/upstream/upstream_env.h"

struct client_quota;
struct listen_quic;
struct quic_tickets;
struct rate_limit;
struct stream_clients;
struct tap;
struct upstream;
struct upstream_set;

/* What all workers are made from; outlives them. */
struct worker_shared {
    const struct config *config; /* for what only a start can change */
    struct client_quota *quota;
    struct rate_limit *rate_limit;
    struct quic_tickets *tickets; /* of QUIC, good at every worker */
    struct tap *tap;              /* NULL: nobody is told of queries */
    int notify; /* eventfd of the main thread: a generation was left, or the worker ended */
};

/* How a worker is to end. */
enum worker_end {
    WORKER_GOES_ON,
    WORKER_STOPS,   /* with the daemon: what waits in its sockets is left to the next one */
    WORKER_RETIRES, /* others go on: what waits in its sockets is answered, too */
};

struct worker {
    unsigned index;
    const struct worker_shared *shared;
    pthread_t thread;

    struct event_base *base;
    struct upstream_clock clock;
    struct coalescing coalescing; /* of queries by UDP */
    struct random_pool random;
    struct inflight *inflight;
    struct geo_memo *memo;
    struct udp_receiver *queries; /* batches of datagrams from clients */
    struct udp_receiver *answers; /* and from upstreams */
    struct upstream_env upstream_env;
    struct upstream *upstream;
    struct stream_clients *streams;
    struct reaper reaper; /* connections of clients, over QUIC too */
    struct listen_quic *quic;
    struct listeners *listeners;
    struct tap *tap;             /* as shared */
    struct published *published; /* in force here; NULL before the first */
    const struct config_rate_limit
        *rates;             /* of the generation in force; NULL: nothing is limited */
    uint64_t set_number;    /* of the upstream set in use */
    enum worker_end ending; /* that is followed: as far as it has begun */
    bool stopping;
    bool overdue; /* stopping has taken its time */
    struct event *wake_event;
    struct event *stop_deadline;

    struct counters counters;

    /* The main thread's alone: what is listened on here, by descriptors of its own. */
    const struct worker_sockets *sockets; /* borrowed; NULL: nothing */
    uint64_t offered_list;                /* number of the last list of sockets */

    /* The mailbox. */
    struct name_turns names;             /* that were blocked, while somebody watches */
    int wake;                            /* eventfd */
    _Atomic(struct published *) offered; /* the newest generation */
    _Atomic(struct upstream_set *) offered_set;
    _Atomic(struct worker_sockets *) offered_sockets; /* NULL: those before are followed */
    _Atomic enum worker_end end;
    _Atomic uint64_t signs_asked; /* of life */
    _Atomic uint64_t signs_given;
    _Atomic uint64_t oldest_published; /* number of the oldest generation in use here */
    _Atomic uint64_t adopted;          /* number of the generation in force here */
    _Atomic uint64_t oldest_set;
    _Atomic uint64_t settled; /* number of the list of sockets that is followed to its end */
    _Atomic bool ended;
};

/* Makes a worker with its first sockets, of which it takes over the list and the descriptors in any
 * case, its first generation and upstream set. NULL with a reason. */
struct worker_setup {
    unsigned index;
    struct worker_sockets *sockets;
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

/* Hands over all the sockets that it is to listen on from now on, with the list. One that it has
 * not looked at yet is closed: the newest counts. */
void worker_offer_sockets(struct worker *worker, struct worker_sockets *sockets);

/* Has the worker left everything that the last list does not hold? */
bool worker_is_settled(const struct worker *worker);

/* Closes the sockets of a list and frees it; NULL is allowed. */
void worker_sockets_free(struct worker_sockets *sockets);

/* Asks the worker to take no more queries, to answer those in flight (at most 5 s), and to end.
 * Join it by worker_join. */
void worker_stop(struct worker *worker);

/* Asks one that was offered an empty list of sockets to end once it owes nothing more: streams are
 * ended in order, answers in flight are waited for as long as upstream has time for them. */
void worker_retire(struct worker *worker);
void worker_join(struct worker *worker);

/* Asks for a sign of life, and tells whether the last one that was asked for has been given: the
 * worker's loop goes round. One that has ended owes none. */
void worker_ask_sign(struct worker *worker);
bool worker_gave_sign(const struct worker *worker);

/* Has the worker count blocked names in this sketch from now on, and give back the one before (see
 * name_turns.h). */
void worker_ask_names(struct worker *worker, struct name_sketch *next);

/* Datagrams that the kernel dropped because the worker did not keep up, on its listening sockets
 * of now. For the main thread. */
uint64_t worker_receive_drops(const struct worker *worker);

/* For the worker's own modules: are both ends of each query kept, for the resolver or for the tap?
 * That changes with `upstream`. */
static inline bool worker_tells_ends(const struct worker *worker)
{
    return worker->upstream_env.keeps_ends ||
           worker->upstream_env.config->send_client == CONFIG_SEND_PROXY;
}

/* For the worker's own modules: the sockets that were left may all be closed; nothing holds a
 * generation any more that is no longer in force. */
void worker_settled(struct worker *worker);
void worker_left(struct worker *worker);

/* For the worker's own modules: something that holds this generation came, and has gone. Inline, as
 * every query that goes upstream is such. */
static inline void worker_hold(struct worker *worker, struct published *published)
{
    published->shares[worker->index].in_flight++;
}

static inline void worker_release(struct worker *worker, struct published *published)
{
    uint64_t left = --published->shares[worker->index].in_flight;
    if (left == 0 && published != worker->published) {
        worker_left(worker);
    }
}
