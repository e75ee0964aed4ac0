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

#include "forwarder/dispatch.h"
#include "forwarder/generation/generation.h"
#include "forwarder/listen_quic.h"
#include "forwarder/listen_udp.h"
#include "forwarder/published.h"
#include "forwarder/stream/listen_tcp.h"
#include "forwarder/stream/stream_client.h"
#include "forwarder/stream/stream_table.h"
#include "forwarder/udp_batch.h"
#include "forwarder/upstream/inflight.h"
#include "forwarder/upstream/upstream.h"
#include "forwarder/upstream/upstream_set.h"
#include "geo/geo_memo.h"

#define MEMO_ENTRIES 65536
#define STOP_SECONDS 5

static void ring(int eventfd_descriptor)
{
    uint64_t one = 1;
    /* Fails only if the count is full, and then it rings already. */
    (void)!write(eventfd_descriptor, &one, sizeof(one));
}

static void silence(int eventfd_descriptor)
{
    uint64_t count;
    (void)!read(eventfd_descriptor, &count, sizeof(count));
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

void worker_hold(struct worker *worker, struct published *published)
{
    published->shares[worker->index].in_flight++;
}

void worker_release(struct worker *worker, struct published *published)
{
    struct published_share *share = &published->shares[worker->index];
    share->in_flight--;
    if (share->in_flight == 0 && published != worker->published) {
        report_oldest(worker);
    }
}

static void adopt(struct worker *worker, struct published *published)
{
    published->shares[worker->index].older = worker->published;
    worker->published = published;
    listen_quic_adopt(worker->quic);
    geo_memo_reset(worker->memo, published->generation->db, published->generation->overrides);
    report_oldest(worker);
    atomic_store(&worker->adopted, published->number);
    ring(worker->shared->notify);
}

static bool is_idle(const struct worker *worker)
{
    return inflight_count(worker->inflight) == 0 && stream_table_count(worker->streams) == 0 &&
           listen_quic_count(worker->quic) == 0;
}

static void on_stop_deadline(evutil_socket_t descriptor, short what, void *ctx)
{
    struct worker *worker = ctx;
    (void)descriptor;
    (void)what;
    worker->overdue = true;
}

/* Queries that wait in the sockets now are left to the kernel; those in flight are answered. */
static void begin_stop(struct worker *worker)
{
    struct timeval deadline = {.tv_sec = STOP_SECONDS};
    worker->stopping = true;
    for (size_t i = 0; i < worker->udp_count; i++) {
        listen_udp_stop(worker->udp[i]);
    }
    for (size_t i = 0; i < worker->tcp_count; i++) {
        listen_tcp_stop(worker->tcp[i]);
    }
    stream_table_drain(worker->streams);
    listen_quic_drain(worker->quic);
    event_add(worker->stop_deadline, &deadline);
    event_base_loopbreak(worker->base);
}

static void on_wake(evutil_socket_t descriptor, short what, void *ctx)
{
    struct worker *worker = ctx;
    (void)what;
    silence(descriptor);
    atomic_store(&worker->signs_given, atomic_load(&worker->signs_asked));
    struct published *published = atomic_load(&worker->offered);
    struct upstream_set *set = atomic_load(&worker->offered_set);
    if (published != worker->published) {
        adopt(worker, published);
    }
    if (set->number != worker->set_number) {
        worker->set_number = set->number;
        upstream_adopt(worker->upstream, set);
    }
    if (atomic_load(&worker->stop) && !worker->stopping) {
        begin_stop(worker);
    }
}

static void *run(void *ctx)
{
    struct worker *worker = ctx;
    event_base_dispatch(worker->base); /* until begin_stop breaks it */
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
    worker->queries = udp_receiver_new();
    worker->answers = udp_receiver_new();
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
        .tls = worker->shared->upstream_tls,
        .descriptor = worker->wake,
        .worker = worker->index,
        .oldest_set = &worker->oldest_set,
        .events = dispatch_events(worker),
    };
    worker->upstream = upstream_new(&worker->upstream_env);
    worker->streams = stream_client_table(worker);
    worker->quic = listen_quic_new(worker);
    return worker->upstream != NULL && worker->streams != NULL && worker->quic != NULL;
}

/* Takes over the descriptor in any case. */
static bool make_listener(struct worker *worker, const struct worker_socket *socket)
{
    switch (socket->listen->transport) {
    case CONFIG_UDP:
        worker->udp[worker->udp_count] = listen_udp_new(worker, socket);
        return worker->udp[worker->udp_count++] != NULL;
    case CONFIG_TCP:
    case CONFIG_TLS:
    case CONFIG_HTTPS:
        worker->tcp[worker->tcp_count] = listen_tcp_new(worker, socket);
        return worker->tcp[worker->tcp_count++] != NULL;
    case CONFIG_QUIC:
        return listen_quic_add(worker->quic, socket);
    }
    close(socket->descriptor);
    return false;
}

/* Takes over all descriptors, also when it fails half-way. */
static bool make_listeners(struct worker *worker, const struct worker_setup *setup)
{
    bool made = true;
    worker->udp = calloc(setup->socket_count, sizeof(struct listen_udp *));
    worker->tcp = calloc(setup->socket_count, sizeof(struct listen_tcp *));
    for (size_t i = 0; i < setup->socket_count; i++) {
        const struct worker_socket *socket = &setup->sockets[i];
        if (worker->udp == NULL || worker->tcp == NULL) {
            close(socket->descriptor);
            made = false;
        } else {
            made = make_listener(worker, socket) && made;
        }
    }
    return made;
}

static void close_all(const struct worker_setup *setup)
{
    for (size_t i = 0; i < setup->socket_count; i++) {
        close(setup->sockets[i].descriptor);
    }
}

struct worker *worker_new(const struct worker_shared *shared, const struct worker_setup *setup,
                          char why[static WHY_MAX])
{
    struct worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL) {
        close_all(setup);
        goto fail;
    }
    worker->index = setup->index;
    worker->shared = shared;
    worker->wake = -1;
    if (!make_parts(worker) || !make_base(worker) || !make_upstream(worker)) {
        close_all(setup);
        goto fail;
    }
    if (!make_listeners(worker, setup)) {
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
    for (size_t i = 0; i < worker->tcp_count; i++) {
        listen_tcp_free(worker->tcp[i]);
    }
    free(worker->tcp);
    /* Before the streams of clients: queries that still wait upstream are answered into them. */
    upstream_free(worker->upstream);
    stream_table_free(worker->streams);
    listen_quic_free(worker->quic);
    for (size_t i = 0; i < worker->udp_count; i++) {
        listen_udp_free(worker->udp[i]);
    }
    free(worker->udp);
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

void worker_stop(struct worker *worker)
{
    atomic_store(&worker->stop, true);
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
    return atomic_load(&worker->signs_given) == atomic_load(&worker->signs_asked);
}

uint64_t worker_receive_drops(const struct worker *worker)
{
    uint64_t drops = 0;
    for (size_t i = 0; i < worker->udp_count; i++) {
        drops += listen_udp_drops(worker->udp[i]);
    }
    return drops + listen_quic_drops(worker->quic);
}
