/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One way by which a row's queries travel: a transport, from one client's address, over one socket
 * or connection at a time. A way knows nothing of what is right: it carries octets for its row and
 * hands back what comes.
 */
#pragma once

#include <event2/event.h>
#include <netinet/in.h>
#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WAY_SLOTS 64 /* queries under way at a time, at most */
#define WAY_PREFIX_MAX 64

struct row;
struct way;

union way_address {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
};

/* From where, to where, and what stands in front: of each datagram, or of a stream's octets. */
struct way_route {
    struct event_base *base;
    SSL_CTX *tls;
    const char *quic_client; /* the program */
    char local[INET6_ADDRSTRLEN];
    char server[INET6_ADDRSTRLEN];
    uint16_t port;
    uint8_t prefix[WAY_PREFIX_MAX];
    size_t prefix_size;
};

struct way_kind {
    const char *name;
    bool stream;      /* carries what came by it to the resolver by TCP; may end */
    bool names_slots; /* an answer's slot is known from the transport: IDs are 0 */
    struct way *(*open)(const struct way_route *route, struct row *row);
    unsigned turnover; /* queries that a connection can carry; 0: any number */
    /* False: it takes none for now. */
    bool (*send)(struct way *way, unsigned slot, const uint8_t *query, size_t size);
    void (*close)(struct way *way);
};

extern const struct way_kind way_udp, way_tcp, way_tls, way_https, way_get, way_quic;

/* A socket bound to the route's own address, which need not be an interface's, and where to send;
 * exits when it cannot be had, which no test here is about. */
int way_socket(const struct way_route *route, int type, union way_address *server, int *length);

/* ---- What a way tells its row ---- */

void row_on_up(struct row *row);

/* An answer; slot is a number below WAY_SLOTS, or -1: by its ID. */
void row_on_answer(struct row *row, int slot, const uint8_t *answer, size_t size);

/* The connection has ended: the row will close the way. */
void row_on_down(struct row *row);
