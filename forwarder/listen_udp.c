/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * UDP from and to clients (see listen_udp.h).
 */
#include "forwarder/listen_udp.h"

#include <event2/event.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forwarder/counters.h"
#include "forwarder/dispatch.h"
#include "forwarder/udp_batch.h"
#include "forwarder/upstream.h"
#include "forwarder/worker.h"

struct listen_udp {
    struct worker *worker;
    int descriptor;
    bool wildcard;
    struct event *readable;
    struct udp_sender *sender;
};

/* Handles one received datagram; an answer made here is queued. */
static void handle(struct listen_udp *listener, unsigned index)
{
    struct worker *worker = listener->worker;
    struct origin origin;
    struct query_client client = {.stream = false};
    size_t size;
    uint8_t *bytes = udp_receiver_bytes(worker->queries, index, &size);
    origin.stream = false;
    origin.datagram.listener = listener;
    udp_receiver_origin(worker->queries, index, &origin.datagram);
    if (!address_of_sockaddr(&origin.datagram.peer.any, &client.address)) {
        return;
    }
    if (udp_sender_full(listener->sender)) {
        listen_udp_flush(listener);
    }
    uint8_t *room = udp_sender_room(listener->sender);
    size_t answer = dispatch_query(worker, &origin, &client, (struct span){bytes, size}, room);
    if (answer > 0) {
        udp_sender_add(listener->sender, (struct span){room, answer}, &origin.datagram,
                       listener->wildcard);
    }
}

static void on_readable(evutil_socket_t descriptor, short what, void *ctx)
{
    struct listen_udp *listener = ctx;
    struct worker *worker = listener->worker;
    (void)what;
    upstream_clock_read(&worker->clock);
    unsigned count = udp_receiver_read(worker->queries, descriptor);
    for (unsigned i = 0; i < count; i++) {
        handle(listener, i);
    }
    upstream_flush(worker->upstream);
    listen_udp_flush(listener);
}

struct listen_udp *listen_udp_new(struct worker *worker, const struct worker_socket *socket)
{
    struct listen_udp *listener = calloc(1, sizeof(*listener));
    if (listener == NULL) {
        close(socket->descriptor);
        return NULL;
    }
    listener->worker = worker;
    listener->descriptor = socket->descriptor;
    listener->wildcard = socket->wildcard;
    listener->sender = udp_sender_new();
    listener->readable =
        event_new(worker->base, socket->descriptor, EV_READ | EV_PERSIST, on_readable, listener);
    if (listener->sender == NULL || listener->readable == NULL ||
        event_add(listener->readable, NULL) != 0) {
        listen_udp_free(listener);
        return NULL;
    }
    return listener;
}

void listen_udp_free(struct listen_udp *listener)
{
    if (listener == NULL) {
        return;
    }
    if (listener->readable != NULL) {
        event_free(listener->readable);
    }
    udp_sender_free(listener->sender);
    close(listener->descriptor);
    free(listener);
}

void listen_udp_stop(struct listen_udp *listener)
{
    event_del(listener->readable);
}

void listen_udp_send(const struct origin_datagram *origin, struct span answer)
{
    struct listen_udp *listener = origin->listener;
    if (udp_sender_full(listener->sender)) {
        listen_udp_flush(listener);
    }
    udp_sender_add(listener->sender, answer, origin, listener->wildcard);
}

void listen_udp_send_copy(const struct origin_datagram *origin, struct span answer)
{
    struct udp_sender *sender = origin->listener->sender;
    if (udp_sender_full(sender)) {
        listen_udp_flush(origin->listener);
    }
    uint8_t *room = udp_sender_room(sender);
    memcpy(room, answer.bytes, answer.size);
    listen_udp_send(origin, (struct span){room, answer.size});
}

void listen_udp_flush(struct listen_udp *listener)
{
    unsigned lost = udp_sender_flush(listener->sender, listener->descriptor);
    for (; lost > 0; lost--) {
        counters_add(&listener->worker->counters, COUNTER_DROPPED);
    }
}

uint32_t listen_udp_drops(const struct listen_udp *listener)
{
    uint32_t values[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof(values);
    if (getsockopt(listener->descriptor, SOL_SOCKET, SO_MEMINFO, values, &size) != 0) {
        return 0;
    }
    return values[SK_MEMINFO_DROPS];
}
