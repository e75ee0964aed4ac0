/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Accepting client connections (see listen_tcp.h).
 */
#include "forwarder/listen_tcp.h"

#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forwarder/client_quota.h"
#include "forwarder/counters.h"
#include "forwarder/descriptors.h"
#include "forwarder/log.h"
#include "forwarder/stream_client.h"
#include "forwarder/worker.h"

#define PAUSE_MS 100

struct listen_tcp {
    struct worker *worker;
    struct evconnlistener *listener;
    struct event *resume;
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

static void on_accept(struct evconnlistener *evlistener, evutil_socket_t descriptor,
                      struct sockaddr *peer, int peer_size, void *ctx)
{
    struct listen_tcp *listener = ctx;
    struct worker *worker = listener->worker;
    struct address client;
    int on = 1;
    (void)evlistener;
    (void)peer_size;
    if (!address_of_sockaddr(peer, &client) || !client_quota_take(worker->shared->quota, &client)) {
        counters_add(&worker->counters, COUNTER_TCP_REFUSED);
        close(descriptor);
        return;
    }
    counters_add(&worker->counters, COUNTER_TCP_ACCEPTED);
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    stream_client_open(worker->streams, descriptor, &client);
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

struct listen_tcp *listen_tcp_new(struct worker *worker, const struct worker_socket *socket)
{
    struct listen_tcp *listener = calloc(1, sizeof(*listener));
    if (listener == NULL) {
        close(socket->descriptor);
        return NULL;
    }
    listener->worker = worker;
    listener->resume = evtimer_new(worker->base, on_resume, listener);
    listener->listener =
        evconnlistener_new(worker->base, on_accept, listener,
                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, socket->descriptor);
    if (listener->listener == NULL) {
        close(socket->descriptor);
    }
    if (listener->resume == NULL || listener->listener == NULL) {
        listen_tcp_free(listener);
        return NULL;
    }
    evconnlistener_set_error_cb(listener->listener, on_error);
    return listener;
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
    free(listener);
}

void listen_tcp_stop(struct listen_tcp *listener)
{
    event_del(listener->resume);
    evconnlistener_disable(listener->listener);
}
