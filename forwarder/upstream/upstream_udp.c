/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * UDP sockets towards one server (see upstream_udp.h). All queries of one batch leave from one
 * socket chosen at random, so a batch is one system call and each query's port stays unpredictable.
 */
#include "forwarder/upstream/upstream_udp.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forwarder/config/config.h"
#include "forwarder/random_pool.h"
#include "forwarder/udp_batch.h"
#include "forwarder/udp_sender.h"
#include "forwarder/upstream/upstream_transport.h"

#define PORT_FIRST 1024U
#define PORT_TRIES 32
#define RECEIVE_BUFFER (1024 * 1024)

struct upstream_socket {
    struct inflight_channel channel;
    int descriptor;
    struct event *readable;
    struct upstream_udp *owner;
    SLIST_ENTRY(upstream_socket) retired;
};

struct upstream_udp {
    struct upstream_env *env;
    struct upstream_server *server;
    struct upstream_target *target;
    struct upstream_socket *sockets[UPSTREAM_UDP_SOCKETS]; /* all open */
    unsigned oldest;               /* index of the next one to be replaced */
    bool used;                     /* since the last renewal */
    struct upstream_socket *batch; /* carries the batch being queued, or NULL */
    struct udp_sender *sender;
    SLIST_HEAD(, upstream_socket) retired;
};

/* Binds to a random port, from a wider range than the kernel's own choice. */
static bool bind_random_port(int descriptor, sa_family_t family, struct random_pool *random)
{
    for (unsigned i = 0; i < PORT_TRIES; i++) {
        uint32_t port = PORT_FIRST + random_pool_below(random, 65536U - PORT_FIRST);
        union origin_peer any = {.ipv6 = {.sin6_family = family}};
        socklen_t size = sizeof any.ipv6;
        if (family == AF_INET) {
            any.ipv4.sin_port = htons((uint16_t)port);
            size = sizeof any.ipv4;
        } else {
            any.ipv6.sin6_port = htons((uint16_t)port);
        }
        if (bind(descriptor, &any.any, size) == 0) {
            return true;
        }
        if (errno != EADDRINUSE) {
            return false;
        }
    }
    return false;
}

/* Anybody may have sent to the port between bind and connect: what is queued by then is thrown
 * away, what comes later is from the server. */
static void discard_queued(int descriptor)
{
    char octet;
    while (recv(descriptor, &octet, sizeof octet, MSG_DONTWAIT | MSG_TRUNC) >= 0) {
    }
}

static int open_descriptor(const struct config_address *address, struct random_pool *random)
{
    int size = RECEIVE_BUFFER;
    int descriptor =
        socket(address->sockaddr.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return -1;
    }
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) {
        (void)setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    if (!bind_random_port(descriptor, address->sockaddr.ss_family, random) ||
        connect(descriptor, (const struct sockaddr *)&address->sockaddr, address->size) != 0) {
        close(descriptor);
        return -1;
    }
    discard_queued(descriptor);
    return descriptor;
}

static void on_readable(evutil_socket_t descriptor, short what, void *ctx)
{
    struct upstream_socket *socket = ctx;
    struct upstream_env *env = socket->owner->env;
    (void)what;
    upstream_clock_read(env->clock);
    unsigned count = udp_receiver_read(env->receiver, descriptor);
    for (unsigned i = 0; i < count; i++) {
        size_t size;
        uint8_t *bytes = udp_receiver_bytes(env->receiver, i, &size);
        struct inflight_entry *entry =
            upstream_match(env, &socket->channel, (struct span){bytes, size});
        if (entry != NULL) {
            upstream_deliver(env, entry, (struct upstream_room){bytes, size, UDP_RECEIVED_MAX});
        }
    }
    env->events.on_batch_end(env->events.ctx);
}

static void socket_free(struct upstream_socket *socket)
{
    if (socket == NULL) {
        return;
    }
    if (socket->readable != NULL) {
        event_free(socket->readable);
    }
    if (socket->descriptor >= 0) {
        close(socket->descriptor);
    }
    free(socket);
}

static struct upstream_socket *socket_new(struct upstream_udp *udp)
{
    struct upstream_socket *socket = calloc(1, sizeof *socket);
    if (socket == NULL) {
        return NULL;
    }
    socket->owner = udp;
    socket->descriptor = open_descriptor(&udp->target->address, udp->env->random);
    if (socket->descriptor < 0) {
        goto fail;
    }
    socket->readable =
        event_new(udp->env->base, socket->descriptor, EV_READ | EV_PERSIST, on_readable, socket);
    if (socket->readable == NULL || event_add(socket->readable, NULL) != 0) {
        goto fail;
    }
    upstream_channel_init(udp->env, &socket->channel, udp->server,
                          upstream_target_counts(udp->target, udp->env->worker));
    return socket;
fail:
    socket_free(socket);
    return NULL;
}

struct upstream_udp *upstream_udp_new(struct upstream_env *env, struct upstream_server *server,
                                      struct upstream_target *target)
{
    struct upstream_udp *udp = calloc(1, sizeof *udp);
    if (udp == NULL) {
        return NULL;
    }
    udp->env = env;
    udp->server = server;
    udp->target = target;
    SLIST_INIT(&udp->retired);
    for (unsigned i = 0; i < UPSTREAM_UDP_SOCKETS; i++) {
        udp->sockets[i] = socket_new(udp);
        if (udp->sockets[i] == NULL) {
            goto fail;
        }
    }
    udp->sender = udp_sender_new(udp_sender_can_join(udp->sockets[0]->descriptor));
    if (udp->sender == NULL) {
        goto fail;
    }
    return udp;
fail:
    upstream_udp_free(udp);
    return NULL;
}

void upstream_udp_free(struct upstream_udp *udp)
{
    if (udp == NULL) {
        return;
    }
    while (!SLIST_EMPTY(&udp->retired)) {
        struct upstream_socket *socket = SLIST_FIRST(&udp->retired);
        SLIST_REMOVE_HEAD(&udp->retired, retired);
        socket_free(socket);
    }
    for (unsigned i = 0; i < UPSTREAM_UDP_SOCKETS; i++) {
        socket_free(udp->sockets[i]);
    }
    udp_sender_free(udp->sender);
    free(udp);
}

/* The query, behind a PROXY header that tells its client if the resolver is to know. */
static bool queue(struct upstream_udp *udp, const struct inflight_entry *entry)
{
    uint8_t *room = udp_sender_room(udp->sender);
    struct span header = {room, 0};
    if (udp->env->config->send_client == CONFIG_SEND_PROXY) {
        header.size = upstream_transport_header(PROXY_HEADER_DATAGRAM, &entry->ends, room);
    }
    return udp_sender_add_connected(udp->sender, header,
                                    (struct span){entry->message, entry->message_size});
}

bool upstream_udp_send(struct upstream_udp *udp, struct inflight_entry *entry)
{
    if (udp->batch == NULL) {
        udp->batch = udp->sockets[random_pool_below(udp->env->random, UPSTREAM_UDP_SOCKETS)];
    }
    if (!upstream_attempt(udp->env, entry, &udp->batch->channel)) {
        return false;
    }
    udp->used = true;
    if (queue(udp, entry)) {
        upstream_udp_flush(udp);
    }
    return true;
}

/* What could not be sent stays in flight: it is asked again elsewhere, or ends in SERVFAIL. */
void upstream_udp_flush(struct upstream_udp *udp)
{
    if (udp->batch != NULL) {
        udp_sender_flush(udp->sender, udp->batch->descriptor);
        udp->batch = NULL;
    }
}

static void close_finished(struct upstream_udp *udp)
{
    struct upstream_socket *socket = SLIST_FIRST(&udp->retired);
    while (socket != NULL) {
        struct upstream_socket *next = SLIST_NEXT(socket, retired);
        if (socket->channel.in_flight == 0) {
            SLIST_REMOVE(&udp->retired, socket, upstream_socket, retired);
            socket_free(socket);
        }
        socket = next;
    }
}

bool upstream_udp_renew(struct upstream_udp *udp)
{
    bool used = udp->used;
    if (used) {
        /* Out of descriptors or ports: the old socket serves on. */
        struct upstream_socket *fresh = socket_new(udp);
        if (fresh != NULL) {
            SLIST_INSERT_HEAD(&udp->retired, udp->sockets[udp->oldest], retired);
            udp->sockets[udp->oldest] = fresh;
            udp->oldest = (udp->oldest + 1) % UPSTREAM_UDP_SOCKETS;
        }
    }
    udp->used = false;
    close_finished(udp);
    return used || !SLIST_EMPTY(&udp->retired);
}
