/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * UDP from and to clients (see listen_udp.h).
 */
#include "forwarder/listen_udp.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forwarder/counters.h"
#include "forwarder/dispatch.h"
#include "forwarder/generation/generation.h"
#include "forwarder/published.h"
#include "forwarder/true_client.h"
#include "forwarder/udp_batch.h"
#include "forwarder/udp_sender.h"
#include "forwarder/upstream/upstream.h"
#include "forwarder/worker.h"
#include "geo/geo_memo.h"

/* Messages that are read before the first of them is judged: what one waits for in memory, the
 * country of its client and its name, the others wait for at the same time. */
#define GROUP 16U

/* More than any socket's buffer holds. */
#define LEAVE_BATCHES 16384U

/* A message of a client that came with others. */
struct received {
    struct origin origin;
    struct query_client client;
    struct query_ends ends; /* what client.ends points to, if anything */
    struct span message;
    bool has_client; /* else it is nobody's that we know to answer */
    struct query_read read;
};

struct listen_udp {
    struct worker *worker;
    const struct config_listen *listen;
    int descriptor;
    bool wildcard;
    bool proxied;    /* each datagram begins with a PROXY header */
    bool tells_ends; /* of each query of this batch: who is to know? */
    struct event *readable;
    struct udp_sender *sender;
    struct received group[GROUP]; /* while they are handled */
};

/* Who sent it may say by a PROXY header who asks, and it is taken off. False: he may not, or there
 * is none. */
static bool take_header(struct listen_udp *listener, struct query_client *client,
                        struct query_ends *ends, struct span *message)
{
    struct worker *worker = listener->worker;
    const struct config_trust *trust = &worker->published->generation->config->trust;
    struct proxy_header header;
    if (!network_set_contains(trust->proxy_protocol, &client->address)) {
        counters_add(&worker->counters, COUNTER_PROXY_UNTRUSTED);
        return false;
    }
    if (proxy_header_decode(*message, &header) != PROXY_HEADER_WHOLE) {
        counters_add(&worker->counters, COUNTER_PROXY_MALFORMED);
        return false;
    }
    message->bytes += header.size;
    message->size -= header.size;
    true_client_proxied(client, &header, ends);
    client->ends = header.kind == PROXY_HEADER_CLIENT ? ends : NULL;
    return true;
}

/* The two ends of a datagram as its sender sees them, for who is to know. */
static void tell_ends(const struct listen_udp *listener, const struct origin_datagram *origin,
                      struct query_client *client, struct query_ends *ends)
{
    const struct sockaddr *bound = (const struct sockaddr *)&listener->listen->address.sockaddr;
    *ends = (struct query_ends){
        .client = client->address,
        .client_port = origin_port(&origin->peer.any),
        .server_port = origin_port(bound),
    };
    union origin_peer local = {.any = {.sa_family = bound->sa_family}};
    if (bound->sa_family == AF_INET) {
        memcpy(&local.ipv4.sin_addr, &origin->local, sizeof local.ipv4.sin_addr);
    } else {
        local.ipv6.sin6_addr = origin->local;
    }
    (void)address_of_sockaddr(listener->wildcard ? &local.any : bound, &ends->server);
    client->ends = ends;
}

/* Ports from which no client asks, where something answers whatever comes, an answer too: echo,
 * daytime, quotd, chargen, time, kpasswd. A forged query from there would go round for ever. And
 * port 0, to which nothing can be sent. */
static bool is_loop_port(uint16_t port)
{
    switch (port) {
    case 0:
    case 7:
    case 13:
    case 17:
    case 19:
    case 37:
    case 464:
        return true;
    default:
        return false;
    }
}

/* Who sent it, who asks? */
static void receive(struct listen_udp *listener, unsigned index, struct received *out)
{
    struct worker *worker = listener->worker;
    struct origin_datagram *datagram = &out->origin.datagram;
    out->message.bytes = udp_receiver_take(worker->queries, index, &out->message.size, datagram);
    out->client = (struct query_client){.stream = false};
    out->has_client = address_of_sockaddr(&datagram->peer.any, &out->client.address);
    if (out->has_client && is_loop_port(origin_port(&datagram->peer.any))) {
        counters_add(&worker->counters, COUNTER_LOOP_PORTS);
        counters_add(&worker->counters, COUNTER_DROPPED);
        out->has_client = false;
    }
    if (!out->has_client) {
        return;
    }
    out->client.subject = out->client.address;
    if (listener->proxied) {
        out->has_client = take_header(listener, &out->client, &out->ends, &out->message);
    } else if (listener->tells_ends) {
        tell_ends(listener, datagram, &out->client, &out->ends);
    }
    geo_memo_prefetch(worker->memo, &out->client.subject);
}

/* Handles it; an answer made here is queued. */
static void handle(struct listen_udp *listener, struct dispatch_context *context,
                   struct received *received)
{
    if (!received->has_client) {
        return;
    }
    uint8_t *room = udp_sender_room(listener->sender);
    size_t answer = dispatch_prepared(context, &received->origin, &received->read, room);
    if (answer > 0) {
        listen_udp_send(&received->origin.datagram, (struct span){room, answer});
    }
}

static void handle_group(struct listen_udp *listener, unsigned first, unsigned count)
{
    struct dispatch_context context;
    dispatch_begin(listener->worker, &context);
    for (unsigned i = 0; i < count; i++) {
        receive(listener, first + i, &listener->group[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        struct received *received = &listener->group[i];
        if (received->has_client) {
            dispatch_read(&context, &received->client, received->message, &received->read);
        }
    }
    for (unsigned i = 0; i < count; i++) {
        if (listener->group[i].has_client) {
            query_sift(&context.env, &listener->group[i].read);
        }
    }
    for (unsigned i = 0; i < count; i++) {
        handle(listener, &context, &listener->group[i]);
    }
}

/* Handles what the socket holds, at most a batch. False: it held nothing. */
static bool read_batch(struct listen_udp *listener)
{
    struct worker *worker = listener->worker;
    upstream_clock_read(&worker->clock);
    listener->tells_ends = worker_tells_ends(worker);
    unsigned count = udp_receiver_read(worker->queries, listener->descriptor);
    for (unsigned first = 0; first < count; first += GROUP) {
        handle_group(listener, first, count - first < GROUP ? count - first : GROUP);
    }
    upstream_flush(worker->upstream);
    listen_udp_flush(listener);
    coalescing_count(&worker->coalescing, count, count == UDP_BATCH);
    counters_took(&worker->counters, CONFIG_UDP, upstream_clock_since(&worker->clock), count);
    return count > 0;
}

static void on_readable(evutil_socket_t descriptor, short what, void *ctx)
{
    (void)descriptor;
    (void)what;
    (void)read_batch(ctx);
}

struct listen_udp *listen_udp_new(struct worker *worker, const struct worker_socket *socket)
{
    struct listen_udp *listener = calloc(1, sizeof *listener);
    if (listener == NULL) {
        close(socket->descriptor);
        return NULL;
    }
    listener->worker = worker;
    listener->descriptor = socket->descriptor;
    listener->wildcard = socket->wildcard;
    listener->listen = socket->listen;
    listener->proxied = socket->listen->proxy != CONFIG_PROXY_NO;
    for (unsigned i = 0; i < GROUP; i++) {
        struct origin *origin = &listener->group[i].origin;
        *origin = (struct origin){.kind = ORIGIN_DATAGRAM, .transport = CONFIG_UDP};
        origin->datagram.listener = listener;
    }
    listener->sender = udp_sender_new(udp_sender_can_join(socket->descriptor));
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

void listen_udp_become(struct listen_udp *listener, const struct config_listen *listen)
{
    listener->listen = listen;
    listener->proxied = listen->proxy != CONFIG_PROXY_NO;
}

void listen_udp_leave(struct listen_udp *listener)
{
    for (unsigned i = 0; i < LEAVE_BATCHES && read_batch(listener); i++) {
    }
    event_del(listener->readable);
}

void listen_udp_send(const struct origin_datagram *origin, struct span answer)
{
    struct listen_udp *listener = origin->listener;
    if (udp_sender_add(listener->sender, answer, origin, listener->wildcard)) {
        listen_udp_flush(listener);
    }
}

void listen_udp_send_copy(const struct origin_datagram *origin, struct span answer)
{
    uint8_t *room = udp_sender_room(origin->listener->sender);
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
