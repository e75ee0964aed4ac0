/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Accepting client connections (see listen_tcp.h).
 */
#include "forwarder/stream/listen_tcp.h"

#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forwarder/client_quota.h"
#include "forwarder/counters.h"
#include "forwarder/descriptors.h"
#include "forwarder/generation/generation.h"
#include "forwarder/log.h"
#include "forwarder/published.h"
#include "forwarder/stream/proxy_intake.h"
#include "forwarder/stream/stream_client.h"
#include "forwarder/true_client.h"
#include "forwarder/worker.h"

#define PAUSE_MS 100

struct listen_tcp {
    struct worker *worker;
    const struct config_listen *listen;
    struct evconnlistener *listener;
    struct event *resume;
    struct proxy_intake *intake; /* of connections that begin with a PROXY header; else NULL */
};

static void pause_accepting(struct listen_tcp *listener)
{
    struct timeval delay = {.tv_usec = PAUSE_MS * 1000};
    evconnlistener_disable(listener->listener);
    event_add(listener->resume, &delay);
}

static void on_resume(evutil_socket_t descriptor, short what, void *ctx)
{
    struct listen_tcp *listener = ctx;
    (void)descriptor;
    (void)what;
    if (descriptors_short(listener->worker->wake)) {
        pause_accepting(listener);
        return;
    }
    evconnlistener_enable(listener->listener);
}

/* The two ends of a connection that was accepted from peer. False if it is gone already. */
static bool read_ends(int descriptor, const union origin_peer *peer, struct query_ends *ends)
{
    union origin_peer local = {.any = {.sa_family = AF_UNSPEC}};
    socklen_t size = sizeof local;
    if (!address_of_sockaddr(&peer->any, &ends->client) ||
        getsockname(descriptor, &local.any, &size) != 0 ||
        !address_of_sockaddr(&local.any, &ends->server)) {
        return false;
    }
    ends->client_port = origin_port(&peer->any);
    ends->server_port = origin_port(&local.any);
    return true;
}

/* The client is known: serves him. A proxy_intake_fn. */
static void serve(void *ctx, const struct stream_opening *opening)
{
    struct listen_tcp *listener = ctx;
    stream_client_open(listener->worker, opening);
}

static bool refuse(struct worker *worker, enum counter counter)
{
    counters_add(&worker->counters, counter);
    return false;
}

/* May this connection be taken? Then it holds a place in the quota. */
static bool admit(struct listen_tcp *listener, const union origin_peer *peer,
                  struct stream_opening *opening)
{
    struct worker *worker = listener->worker;
    const struct config_trust *trust = &worker->published->generation->config->trust;
    if (!read_ends(opening->descriptor, peer, &opening->ends)) {
        return refuse(worker, COUNTER_TCP_REFUSED);
    }
    opening->peer = opening->ends.client;
    if (listener->listen->proxy != CONFIG_PROXY_NO &&
        !network_set_contains(trust->proxy_protocol, &opening->peer)) {
        return refuse(worker, COUNTER_PROXY_UNTRUSTED);
    }
    opening->holder =
        true_client_speaks(trust, &opening->peer) ? CLIENT_QUOTA_NOBODY : opening->peer;
    return reaper_admit(&worker->reaper, &opening->holder) || refuse(worker, COUNTER_TCP_REFUSED);
}

static void on_accept(struct evconnlistener *evlistener, evutil_socket_t descriptor,
                      struct sockaddr *peer, int peer_size, void *ctx)
{
    struct listen_tcp *listener = ctx;
    struct worker *worker = listener->worker;
    struct stream_opening opening = {.descriptor = descriptor, .listen = listener->listen};
    int on = 1;
    (void)evlistener;
    (void)peer_size;
    if (!admit(listener, (const union origin_peer *)peer, &opening)) {
        close(descriptor);
        return;
    }
    counters_add(&worker->counters, COUNTER_TCP_ACCEPTED);
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (listener->listen->proxy == CONFIG_PROXY_FIRST) {
        proxy_intake_take(listener->intake, &opening);
    } else {
        serve(listener, &opening);
    }
    if (descriptors_short(worker->wake)) {
        log_event(LOG_LEVEL_WARNING, "tcp", "accept paused", "reason=descriptors");
        pause_accepting(listener);
    }
}

/* The kernel refused to accept: out of descriptors or memory. Left enabled, the listener would
 * spin.
 */
static void on_error(struct evconnlistener *evlistener, void *ctx)
{
    (void)evlistener;
    pause_accepting(ctx);
}

bool listen_tcp_become(struct listen_tcp *listener, const struct config_listen *listen)
{
    if (listen->proxy == CONFIG_PROXY_FIRST && listener->intake == NULL) {
        listener->intake = proxy_intake_new(listener->worker, serve, listener);
        if (listener->intake == NULL) {
            return false;
        }
    }
    listener->listen = listen;
    return true;
}

struct listen_tcp *listen_tcp_new(struct worker *worker, const struct worker_socket *socket)
{
    struct listen_tcp *listener = calloc(1, sizeof *listener);
    if (listener == NULL) {
        close(socket->descriptor);
        return NULL;
    }
    listener->worker = worker;
    listener->listen = socket->listen;
    listener->resume = evtimer_new(worker->base, on_resume, listener);
    listener->listener =
        evconnlistener_new(worker->base, on_accept, listener,
                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, socket->descriptor);
    if (listener->listener == NULL) {
        close(socket->descriptor);
    }
    if (listener->resume == NULL || listener->listener == NULL ||
        !listen_tcp_become(listener, socket->listen)) {
        listen_tcp_free(listener);
        return NULL;
    }
    evconnlistener_set_error_cb(listener->listener, on_error);
    return listener;
}

void listen_tcp_accept_waiting(struct listen_tcp *listener)
{
    int descriptor = evconnlistener_get_fd(listener->listener);
    while (!descriptors_short(listener->worker->wake)) {
        union origin_peer peer = {.any = {.sa_family = AF_UNSPEC}};
        socklen_t size = sizeof peer;
        int accepted = accept4(descriptor, &peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted < 0) {
            return;
        }
        on_accept(listener->listener, accepted, &peer.any, (int)size, listener);
    }
}

void listen_tcp_free(struct listen_tcp *listener)
{
    if (listener == NULL) {
        return;
    }
    if (listener->listener != NULL) {
        evconnlistener_free(listener->listener);
    }
    if (listener->resume != NULL) {
        event_free(listener->resume);
    }
    proxy_intake_free(listener->intake);
    free(listener);
}

void listen_tcp_stop(struct listen_tcp *listener)
{
    event_del(listener->resume);
    evconnlistener_disable(listener->listener);
    if (listener->intake != NULL) {
        proxy_intake_stop(listener->intake);
    }
}
