/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A worker's life: made, started, given generations, stopped (see worker.h).
 */
#include "forwarder/worker.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "forwarder/config/config_listen.h"
#include "forwarder/dispatch.h"
#include "forwarder/generation/generation.h"
#include "forwarder/listen_quic.h"
#include "forwarder/milliseconds.h"
#include "forwarder/rate_limit.h"
#include "forwarder/socket_state.h"
#include "forwarder/stream/stream_client.h"
#include "forwarder/udp_batch.h"
#include "forwarder/upstream/inflight.h"
#include "forwarder/upstream/upstream.h"
#include "forwarder/upstream/upstream_set.h"
#include "geo/geo_memo.h"

#define MEMO_ENTRIES 65536
#define STOP_MS 5000U

static void ring(int eventfd_descriptor)
{
    uint64_t one = 1;
    /* Fails only if the count is full, and then it rings already. */
    (void)!write(eventfd_descriptor, &one, sizeof one);
}

static void silence(int eventfd_descriptor)
{
    uint64_t count;
    (void)!read(eventfd_descriptor, &count, sizeof count);
}

/* Finds the oldest generation that this worker still uses, and tells the main thread when that has
 * changed. */
static void report_oldest(struct worker *worker)
{
    uint64_t oldest = worker->published->number;
    struct published **link = &worker->published->shares[worker->index].older;
    while (*link != NULL) {
        struct published_share *share = &(*link)->shares[worker->index];
        if (share->in_flight == 0) {
            *link = share->older;
            continue;
        }
        oldest = (*link)->number; /* the chain goes from newer to older */
        link = &share->older;
    }
    if (atomic_exchange(&worker->oldest_published, oldest) != oldest) {
        ring(worker->shared->notify);
    }
}

void worker_left(struct worker *worker)
{
    report_oldest(worker);
}

static void adopt(struct worker *worker, struct published *published)
{
    published->shares[worker->index].older = worker->published;
    worker->published = published;
    const struct config *config = published->generation->config;
    worker->rates = rate_limit_wanted(config) ? &config->rate_limit : NULL;
    listen_quic_adopt(worker->quic);
    geo_memo_reset(worker->memo, published->generation->db, published->generation->overrides);
    report_oldest(worker);
    atomic_store(&worker->adopted, published->number);
    ring(worker->shared->notify);
}

static bool is_idle(const struct worker *worker)
{
    return inflight_count(worker->inflight) == 0 && stream_clients_count(worker->streams) == 0 &&
           listen_quic_count(worker->quic) == 0;
}

static void on_stop_deadline(evutil_socket_t descriptor, short what, void *ctx)
{
    struct worker *worker = ctx;
    (void)descriptor;
    (void)what;
    worker->overdue = true;
}

/* Those in flight are answered; nobody asks any more. One that retires may have less time for that
 * when the daemon stops. */
static void begin_end(struct worker *worker, enum worker_end end, unsigned ms)
{
    struct timeval deadline = milliseconds(ms);
    worker->ending = end;
    if (!worker->stopping) {
        worker->stopping = true;
        stream_client_drain(worker, NULL);
        listen_quic_drain(worker->quic);
    }
    event_add(worker->stop_deadline, &deadline);
}

/* One that retires has left its sockets before. */
static void follow_end(struct worker *worker)
{
    unsigned timeout_ms = worker->upstream_env.config->timeout_ms;
    enum worker_end end = atomic_load(&worker->end);
    if (end == worker->ending) {
        return;
    }
    switch (end) {
    case WORKER_GOES_ON:
        break;
    case WORKER_STOPS:
        listeners_stop(worker->listeners);
        begin_end(worker, end, STOP_MS);
        break;
    case WORKER_RETIRES:
        if (atomic_load(&worker->offered_sockets) == NULL &&
            listeners_settled(worker->listeners) != 0) {
            begin_end(worker, end, timeout_ms > STOP_MS ? timeout_ms : STOP_MS);
        }
        break;
    }
}

void worker_settled(struct worker *worker)
{
    uint64_t number = listeners_settled(worker->listeners);
    if (atomic_exchange(&worker->settled, number) != number) {
        ring(worker->shared->notify);
    }
    follow_end(worker);
}

/* A generation is adopted last: whoever sees that it is, sees all that was offered before it. */
static void on_wake(evutil_socket_t descriptor, short what, void *ctx)
{
    struct worker *worker = ctx;
    (void)what;
    silence(descriptor);
    atomic_store(&worker->signs_given, atomic_load(&worker->signs_asked));
    if (name_turns_take(&worker->names)) {
        ring(worker->shared->notify);
    }
    struct published *published = atomic_load(&worker->offered);
    struct upstream_set *set = atomic_load(&worker->offered_set);
    struct worker_sockets *sockets = atomic_exchange(&worker->offered_sockets, NULL);
    if (set->number != worker->set_number) {
        worker->set_number = set->number;
        upstream_adopt(worker->upstream, set);
    }
    if (sockets != NULL) {
        (void)listeners_follow(worker->listeners, sockets);
    }
    if (published != worker->published) {
        adopt(worker, published);
    } else if (sockets != NULL) {
        listen_quic_adopt(worker->quic);
    }
    follow_end(worker);
}

static void *run(void *ctx)
{
    struct worker *worker = ctx;
    while (!worker->stopping) {
        event_base_loop(worker->base, EVLOOP_ONCE);
        if (coalescing_is_due(&worker->coalescing, worker->clock.us)) {
            coalescing_pause();
        }
    }
    while (!worker->overdue && !is_idle(worker)) {
        event_base_loop(worker->base, EVLOOP_ONCE);
    }
    atomic_store(&worker->ended, true);
    ring(worker->shared->notify);
    return NULL;
}

/* Everything that needs no socket. */
static bool make_parts(struct worker *worker)
{
    const struct config *config = worker->shared->config;
    worker->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    worker->inflight = inflight_new(config->limits.in_flight);
    worker->memo = geo_memo_new(MEMO_ENTRIES);
    worker->queries = udp_receiver_new(true);
    worker->answers = udp_receiver_new(false);
    random_pool_init(&worker->random);
    upstream_clock_read(&worker->clock);
    return worker->wake >= 0 && worker->inflight != NULL && worker->memo != NULL &&
           worker->queries != NULL && worker->answers != NULL;
}

/* A base of one thread needs no locks. */
static bool make_base(struct worker *worker)
{
    struct event_config *config = event_config_new();
    if (config == NULL) {
        return false;
    }
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    worker->base = event_base_new_with_config(config);
    event_config_free(config);
    if (worker->base == NULL) {
        return false;
    }
    worker->wake_event =
        event_new(worker->base, worker->wake, EV_READ | EV_PERSIST, on_wake, worker);
    worker->stop_deadline = evtimer_new(worker->base, on_stop_deadline, worker);
    return worker->wake_event != NULL && worker->stop_deadline != NULL &&
           event_add(worker->wake_event, NULL) == 0;
}

static bool make_upstream(struct worker *worker)
{
    worker->upstream_env = (struct upstream_env){
        .base = worker->base,
        .inflight = worker->inflight,
        .random = &worker->random,
        .counters = &worker->counters,
        .clock = &worker->clock,
        .receiver = worker->answers,
        .config = &worker->shared->config->upstream,
        .descriptor = worker->wake,
        .worker = worker->index,
        .keeps_ends = worker->tap != NULL,
        .oldest_set = &worker->oldest_set,
        .events = dispatch_events(worker),
    };
    worker->upstream = upstream_new(&worker->upstream_env);
    reaper_init(&worker->reaper, worker->shared->quota, &worker->counters);
    worker->streams = stream_clients_new(worker);
    worker->quic = listen_quic_new(worker);
    return worker->upstream != NULL && worker->streams != NULL && worker->quic != NULL;
}

struct worker *worker_new(const struct worker_shared *shared, const struct worker_setup *setup,
                          char why[static WHY_MAX])
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL) {
        worker_sockets_free(setup->sockets);
        goto fail;
    }
    worker->index = setup->index;
    worker->shared = shared;
    worker->wake = -1;
    worker->tap = shared->tap;
    bool made = make_parts(worker) && make_base(worker) && make_upstream(worker) &&
                (worker->listeners = listeners_new(worker)) != NULL;
    if (!made) {
        worker_sockets_free(setup->sockets);
        goto fail;
    }
    worker->offered_list = setup->sockets->number;
    if (!listeners_follow(worker->listeners, setup->sockets)) {
        goto fail;
    }
    atomic_init(&worker->offered, setup->published);
    atomic_init(&worker->offered_set, setup->set);
    worker->set_number = setup->set->number;
    upstream_adopt(worker->upstream, setup->set);
    adopt(worker, setup->published);
    return worker;
fail:
    snprintf(why, WHY_MAX, "worker %u: out of memory or descriptors", setup->index);
    worker_free(worker);
    return NULL;
}

void worker_free(struct worker *worker)
{
    if (worker == NULL) {
        return;
    }
    /* Before the streams of clients: queries that still wait upstream are answered into them. */
    upstream_free(worker->upstream);
    stream_clients_free(worker->streams);
    listen_quic_free(worker->quic);
    listeners_free(worker->listeners);
    worker_sockets_free(atomic_load(&worker->offered_sockets));
    if (worker->stop_deadline != NULL) {
        event_free(worker->stop_deadline);
    }
    if (worker->wake_event != NULL) {
        event_free(worker->wake_event);
    }
    if (worker->base != NULL) {
        /* A bufferevent that is freed while a callback of it is put off goes with the next turn. */
        event_base_loop(worker->base, EVLOOP_NONBLOCK);
        event_base_free(worker->base);
    }
    udp_receiver_free(worker->answers);
    udp_receiver_free(worker->queries);
    geo_memo_free(worker->memo);
    inflight_free(worker->inflight);
    name_turns_fini(&worker->names);
    if (worker->wake >= 0) {
        close(worker->wake);
    }
    free(worker);
}

bool worker_start(struct worker *worker, char why[static WHY_MAX])
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&worker->thread, NULL, run, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        snprintf(why, WHY_MAX, "worker %u: cannot start a thread: %s", worker->index,
                 strerror(error));
        return false;
    }
    return true;
}

void worker_offer(struct worker *worker, struct published *published)
{
    atomic_store(&worker->offered, published);
    ring(worker->wake);
}

void worker_offer_set(struct worker *worker, struct upstream_set *set)
{
    atomic_store(&worker->offered_set, set);
    ring(worker->wake);
}

void worker_offer_sockets(struct worker *worker, struct worker_sockets *sockets)
{
    worker->offered_list = sockets->number;
    worker_sockets_free(atomic_exchange(&worker->offered_sockets, sockets));
    ring(worker->wake);
}

bool worker_is_settled(const struct worker *worker)
{
    return atomic_load(&worker->settled) == worker->offered_list;
}

void worker_sockets_free(struct worker_sockets *sockets)
{
    for (size_t i = 0; sockets != NULL && i < sockets->count; i++) {
        close(sockets->items[i].descriptor);
    }
    free(sockets);
}

void worker_stop(struct worker *worker)
{
    atomic_store(&worker->end, WORKER_STOPS);
    ring(worker->wake);
}

void worker_retire(struct worker *worker)
{
    atomic_store(&worker->end, WORKER_RETIRES);
    ring(worker->wake);
}

void worker_join(struct worker *worker)
{
    pthread_join(worker->thread, NULL);
}

void worker_ask_sign(struct worker *worker)
{
    atomic_fetch_add(&worker->signs_asked, 1);
    ring(worker->wake);
}

bool worker_gave_sign(const struct worker *worker)
{
    return atomic_load(&worker->ended) ||
           atomic_load(&worker->signs_given) == atomic_load(&worker->signs_asked);
}

void worker_ask_names(struct worker *worker, struct name_sketch *next)
{
    name_turns_ask(&worker->names, next);
    ring(worker->wake);
}

uint64_t worker_receive_drops(const struct worker *worker)
{
    uint64_t drops = 0;
    for (size_t i = 0; worker->sockets != NULL && i < worker->sockets->count; i++) {
        const struct worker_socket *socket = &worker->sockets->items[i];
        if (config_listen_is_datagrams(socket->listen)) {
            drops += socket_state_read(socket->descriptor).drops;
        }
    }
    return drops;
}
