/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * DNS over TCP and TLS: one connection, many queries (see way.h, way_stream.h). Also the sockets of
 * all ways.
 */
#include "test/soak/way_stream.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct way {
    struct row *row;
    struct bufferevent *transport;
};

/* ---- Sockets ---- */

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int read_address(const char *text, uint16_t port, union way_address *out)
{
    if (strchr(text, ':') != NULL) {
        out->ipv6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
        if (inet_pton(AF_INET6, text, &out->ipv6.sin6_addr) == 1) {
            return (int)sizeof out->ipv6;
        }
    } else {
        out->ipv4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        if (inet_pton(AF_INET, text, &out->ipv4.sin_addr) == 1) {
            return (int)sizeof out->ipv4;
        }
    }
    die(text);
    return 0;
}

int way_socket(const struct way_route *route, int type, union way_address *server, int *length)
{
    const int on = 1;
    union way_address local;
    int local_length = read_address(route->local, 0, &local);
    *length = read_address(route->server, route->port, server);
    int made = socket(local.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0) {
        die("socket");
    }
    if (local.any.sa_family == AF_INET6) {
        (void)setsockopt(made, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on);
    } else {
        (void)setsockopt(made, IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
    }
    if (bind(made, &local.any, (socklen_t)local_length) != 0) {
        die("bind");
    }
    return made;
}

struct bufferevent *way_stream_open(const struct way_route *route, const char *alpn)
{
    const int options = BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS;
    const int on = 1;
    union way_address server;
    int length;
    int made = way_socket(route, SOCK_STREAM, &server, &length);
    (void)setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct bufferevent *transport;
    if (alpn == NULL) {
        transport = bufferevent_socket_new(route->base, made, options);
    } else {
        unsigned char protocol[16] = {(unsigned char)strlen(alpn)};
        memcpy(protocol + 1, alpn, strlen(alpn));
        SSL *tls = SSL_new(route->tls);
        if (tls == NULL || SSL_set_alpn_protos(tls, protocol, 1U + protocol[0]) != 0) {
            die("tls");
        }
        transport = bufferevent_openssl_socket_new(route->base, made, tls,
                                                   BUFFEREVENT_SSL_CONNECTING, options);
        bufferevent_openssl_set_allow_dirty_shutdown(transport, 1);
    }
    if (transport == NULL) {
        die("bufferevent");
    }
    /* A failure is told as an event too. */
    (void)bufferevent_socket_connect(transport, &server.any, length);
    bufferevent_write(transport, route->prefix, route->prefix_size);
    bufferevent_enable(transport, EV_READ | EV_WRITE);
    return transport;
}

/* ---- Messages with their lengths (RFC 1035 section 4.2.2) ---- */

static void on_octets(struct bufferevent *transport, void *ctx)
{
    struct way *way = ctx;
    struct evbuffer *input = bufferevent_get_input(transport);
    uint8_t length[2];
    while (evbuffer_copyout(input, length, sizeof length) == 2) {
        size_t size = (size_t)length[0] << 8 | length[1];
        if (evbuffer_get_length(input) < 2 + size) {
            return;
        }
        const uint8_t *framed = evbuffer_pullup(input, (ev_ssize_t)(2 + size));
        row_on_answer(way->row, -1, framed + 2, size);
        evbuffer_drain(input, 2 + size);
    }
}

static void on_event(struct bufferevent *transport, short what, void *ctx)
{
    struct way *way = ctx;
    (void)transport;
    if ((what & BEV_EVENT_CONNECTED) != 0) {
        row_on_up(way->row);
    } else {
        row_on_down(way->row);
    }
}

static struct way *open_with(const struct way_route *route, struct row *row, const char *alpn)
{
    struct way *way = calloc(1, sizeof *way);
    if (way == NULL) {
        return NULL;
    }
    way->row = row;
    way->transport = way_stream_open(route, alpn);
    bufferevent_setcb(way->transport, on_octets, NULL, on_event, way);
    return way;
}

static struct way *tcp_open(const struct way_route *route, struct row *row)
{
    return open_with(route, row, NULL);
}

static struct way *tls_open(const struct way_route *route, struct row *row)
{
    return open_with(route, row, "dot");
}

static bool stream_send(struct way *way, unsigned slot, const uint8_t *query, size_t size)
{
    const uint8_t length[] = {(uint8_t)(size >> 8), (uint8_t)size};
    (void)slot;
    return bufferevent_write(way->transport, length, sizeof length) == 0 &&
           bufferevent_write(way->transport, query, size) == 0;
}

static void stream_close(struct way *way)
{
    bufferevent_free(way->transport);
    free(way);
}

const struct way_kind way_tcp = {
    .name = "tcp", .stream = true, .open = tcp_open, .send = stream_send, .close = stream_close};
const struct way_kind way_tls = {
    .name = "tls", .stream = true, .open = tls_open, .send = stream_send, .close = stream_close};
