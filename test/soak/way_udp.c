/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Datagrams from one connected socket (see way.h): what another address answers never arrives.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/soak/right_answer.h"
#include "test/soak/way.h"

#define BATCH 64

struct way {
    const struct way_route *route;
    struct row *row;
    struct event *readable;
    int socket;
};

static void on_readable(evutil_socket_t descriptor, short what, void *ctx)
{
    struct way *way = ctx;
    uint8_t answer[65535];
    (void)what;
    for (unsigned i = 0; i < BATCH; i++) {
        ssize_t size = recv(descriptor, answer, sizeof answer, MSG_DONTWAIT);
        if (size < 0) {
            return;
        }
        row_on_answer(way->row, -1, answer, (size_t)size);
    }
}

static struct way *udp_open(const struct way_route *route, struct row *row)
{
    struct way *way = calloc(1, sizeof *way);
    union way_address server;
    int length;
    if (way == NULL) {
        return NULL;
    }
    *way = (struct way){.route = route, .row = row};
    way->socket = way_socket(route, SOCK_DGRAM, &server, &length);
    if (connect(way->socket, &server.any, (socklen_t)length) != 0) {
        perror("connect");
        exit(1);
    }
    way->readable = event_new(route->base, way->socket, EV_READ | EV_PERSIST, on_readable, way);
    event_add(way->readable, NULL);
    row_on_up(row);
    return way;
}

static bool udp_send(struct way *way, unsigned slot, const uint8_t *query, size_t size)
{
    uint8_t datagram[WAY_PREFIX_MAX + RIGHT_QUERY_MAX];
    size_t before = way->route->prefix_size;
    (void)slot;
    memcpy(datagram, way->route->prefix, before);
    memcpy(datagram + before, query, size);
    if (send(way->socket, datagram, before + size, 0) >= 0) {
        return true;
    }
    /* An error that stood from an ICMP message of before; the next try sends. */
    return send(way->socket, datagram, before + size, 0) >= 0;
}

static void udp_close(struct way *way)
{
    event_free(way->readable);
    close(way->socket);
    free(way);
}

const struct way_kind way_udp = {
    .name = "udp", .open = udp_open, .send = udp_send, .close = udp_close};
