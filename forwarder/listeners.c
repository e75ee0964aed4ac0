/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Taking up and leaving sockets (see listeners.h).
 *
 *   taken up ──► listening ──► leaving (no new query; what is owed is sent) ──► closed
 */
#include "forwarder/listeners.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "forwarder/config/config_listen.h"
#include "forwarder/listen_quic.h"
#include "forwarder/listen_udp.h"
#include "forwarder/log.h"
#include "forwarder/milliseconds.h"
#include "forwarder/stream/listen_tcp.h"
#include "forwarder/stream/stream_client.h"
#include "forwarder/upstream/inflight.h"
#include "forwarder/worker.h"

#define LOOK_MS 50U       /* how often those that are left are looked at */
#define QUIC_MAX_MS 5000U /* how long clients over QUIC have to take what they are owed */

struct listener {
    uint64_t serial;
    const struct config_listen *listen;
    struct listen_udp *udp; /* one of the three */
    struct listen_tcp *tcp;
    struct quic_listener *quic;
    bool leaving;
    uint64_t left_ms; /* monotonic: since when */
    TAILQ_ENTRY(listener) link;
};

struct listeners {
    struct worker *worker;
    struct event *look;
    uint64_t followed; /* number of the last list */
    TAILQ_HEAD(, listener) all;
};

static void listener_free(struct listeners *listeners, struct listener *listener)
{
    TAILQ_REMOVE(&listeners->all, listener, link);
    listen_tcp_free(listener->tcp);
    listen_udp_free(listener->udp);
    free(listener);
}

/* Does an answer wait that leaves by this socket? */
static bool is_awaited(const struct worker *worker, const struct listen_udp *udp)
{
    const struct inflight_entry *entry = NULL;
    while ((entry = inflight_next(worker->inflight, entry)) != NULL) {
        if (entry->origin.kind == ORIGIN_DATAGRAM && entry->origin.datagram.listener == udp) {
            return true;
        }
    }
    return false;
}

/* Is nothing owed by way of this socket any more? */
static bool is_done(const struct listeners *listeners, const struct listener *listener)
{
    uint64_t since = listeners->worker->clock.ms - listener->left_ms;
    if (listener->udp != NULL) {
        return !is_awaited(listeners->worker, listener->udp);
    }
    if (listener->quic != NULL) {
        return listen_quic_is_unused(listener->quic) || since >= QUIC_MAX_MS;
    }
    return since >= LISTENERS_LINGER_MS;
}

static void close_left(struct listeners *listeners, struct listener *listener)
{
    if (listener->tcp != NULL) {
        listen_tcp_accept_waiting(listener->tcp);
        stream_client_drain(listeners->worker, &listener->listen->address);
    }
    if (listener->quic != NULL) {
        listen_quic_remove(listener->quic);
    }
    listener_free(listeners, listener);
}

/* Closes what is done; looks again while there is more. */
static void look(struct listeners *listeners)
{
    const struct timeval soon = milliseconds(LOOK_MS);
    struct listener *listener = TAILQ_FIRST(&listeners->all);
    bool more = false;
    upstream_clock_read(&listeners->worker->clock);
    while (listener != NULL) {
        struct listener *next = TAILQ_NEXT(listener, link);
        if (listener->leaving && is_done(listeners, listener)) {
            close_left(listeners, listener);
        } else {
            more = more || listener->leaving;
        }
        listener = next;
    }
    if (more) {
        event_add(listeners->look, &soon);
    }
    worker_settled(listeners->worker);
}

static void on_look(evutil_socket_t descriptor, short what, void *ctx)
{
    (void)descriptor;
    (void)what;
    look(ctx);
}

struct listeners *listeners_new(struct worker *worker)
{
    struct listeners *listeners = calloc(1, sizeof *listeners);
    if (listeners == NULL) {
        return NULL;
    }
    listeners->worker = worker;
    TAILQ_INIT(&listeners->all);
    listeners->look = evtimer_new(worker->base, on_look, listeners);
    if (listeners->look == NULL) {
        free(listeners);
        return NULL;
    }
    return listeners;
}

void listeners_free(struct listeners *listeners)
{
    if (listeners == NULL) {
        return;
    }
    while (!TAILQ_EMPTY(&listeners->all)) {
        listener_free(listeners, TAILQ_FIRST(&listeners->all));
    }
    event_free(listeners->look);
    free(listeners);
}

/* Takes over the descriptor in any case. */
static bool take_up(struct listeners *listeners, const struct worker_socket *socket)
{
    struct worker *worker = listeners->worker;
    struct listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL) {
        close(socket->descriptor);
        return false;
    }
    listener->serial = socket->serial;
    listener->listen = socket->listen;
    switch (socket->listen->transport) {
    case CONFIG_UDP:
        listener->udp = listen_udp_new(worker, socket);
        break;
    case CONFIG_TCP:
    case CONFIG_TLS:
    case CONFIG_HTTPS:
        listener->tcp = listen_tcp_new(worker, socket);
        break;
    case CONFIG_QUIC:
        listener->quic = listen_quic_add(worker->quic, socket);
        break;
    }
    if (listener->udp == NULL && listener->tcp == NULL && listener->quic == NULL) {
        free(listener);
        return false;
    }
    TAILQ_INSERT_TAIL(&listeners->all, listener, link);
    return true;
}

/* Goes on with the socket it has, as what the list says. */
static bool go_on(struct listener *listener, const struct config_listen *listen)
{
    bool told = true;
    listener->leaving = false;
    if (listener->udp != NULL) {
        listen_udp_become(listener->udp, listen);
    } else if (listener->quic != NULL) {
        listen_quic_become(listener->quic, listen);
    } else {
        told = listen_tcp_become(listener->tcp, listen);
    }
    listener->listen = listen;
    return told;
}

static void leave(struct listeners *listeners, struct listener *listener)
{
    upstream_clock_read(&listeners->worker->clock);
    listener->leaving = true;
    listener->left_ms = listeners->worker->clock.ms;
    if (listener->udp != NULL) {
        listen_udp_leave(listener->udp);
    } else if (listener->quic != NULL) {
        listen_quic_leave(listener->quic);
    } /* TCP goes on to accept what comes until it is closed */
}

static struct listener *find(const struct listeners *listeners, uint64_t serial)
{
    struct listener *listener;
    TAILQ_FOREACH(listener, &listeners->all, link)
    {
        if (listener->serial == serial && !listener->leaving) {
            return listener;
        }
    }
    return NULL;
}

static bool is_listed(const struct worker_sockets *sockets, uint64_t serial)
{
    for (size_t i = 0; i < sockets->count; i++) {
        if (sockets->items[i].serial == serial) {
            return true;
        }
    }
    return false;
}

bool listeners_follow(struct listeners *listeners, struct worker_sockets *sockets)
{
    struct listener *listener;
    bool followed = true;
    for (size_t i = 0; i < sockets->count; i++) {
        const struct worker_socket *socket = &sockets->items[i];
        listener = find(listeners, socket->serial);
        bool taken =
            listener == NULL ? take_up(listeners, socket) : go_on(listener, socket->listen);
        if (listener != NULL) {
            close(socket->descriptor);
        }
        if (!taken) {
            log_event(LOG_LEVEL_ERROR, "server", "no memory for a listener", "transport=%s",
                      config_listen_transport(socket->listen));
        }
        followed = followed && taken;
    }
    TAILQ_FOREACH(listener, &listeners->all, link)
    {
        if (!listener->leaving && !is_listed(sockets, listener->serial)) {
            leave(listeners, listener);
        }
    }
    listeners->followed = sockets->number;
    free(sockets);
    look(listeners);
    return followed;
}

void listeners_flush(struct listeners *listeners)
{
    struct listener *listener;
    TAILQ_FOREACH(listener, &listeners->all, link)
    {
        if (listener->udp != NULL) {
            listen_udp_flush(listener->udp);
        }
    }
}

void listeners_stop(struct listeners *listeners)
{
    struct listener *listener;
    TAILQ_FOREACH(listener, &listeners->all, link)
    {
        if (listener->udp != NULL) {
            listen_udp_stop(listener->udp);
        } else if (listener->tcp != NULL) {
            listen_tcp_stop(listener->tcp);
        }
    }
}

uint64_t listeners_settled(const struct listeners *listeners)
{
    const struct listener *listener;
    TAILQ_FOREACH(listener, &listeners->all, link)
    {
        if (listener->leaving) {
            return 0;
        }
    }
    return listeners->followed;
}
