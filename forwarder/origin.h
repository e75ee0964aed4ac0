/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where an answer must return to: a value that is copied with its query and outlives the socket
 * or connection it names. A datagram goes back to its sender from the address it came to; a
 * message of a stream goes back over that stream, if it is still the same one.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct listen_udp;

/* An IPv4 or IPv6 socket address in the room of the larger. */
union origin_peer {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
};

/* The port of an IPv4 or IPv6 socket address, in host byte order. */
static inline uint16_t origin_port(const struct sockaddr *sockaddr)
{
    return ntohs(sockaddr->sa_family == AF_INET
                     ? ((const struct sockaddr_in *)sockaddr)->sin_port
                     : ((const struct sockaddr_in6 *)sockaddr)->sin6_port);
}

struct origin_datagram {
    struct listen_udp *listener; /* lives as long as the worker */
    union origin_peer peer;
    struct in6_addr local; /* the address asked, on a wildcard listener; IPv4 in its first octets */
    uint32_t interface;    /* of a link-local IPv6 local address, else 0 */
};

/* What a client asked of the hop between it and us, by EDNS options that belong to that hop alone
 * (tls, https and quic: RFC 7828, RFC 7830); the answer is to do likewise. */
struct origin_hop {
    bool opt;       /* the query had an OPT */
    bool padding;   /* with a padding option: the answer is padded (RFC 8467) */
    bool keepalive; /* and an edns-tcp-keepalive option: the answer tells the idle time */
};

struct origin_stream {
    uint32_t slot;   /* in the worker's table of connections of that kind */
    uint32_t serial; /* of the connection that held the slot then */
    int64_t request; /* the stream within the connection: of HTTP/2 or QUIC; else 0 */
    struct origin_hop hop;
    uint8_t transport; /* enum config_transport, of its listener; not of QUIC */
};

enum origin_kind {
    ORIGIN_DATAGRAM,
    ORIGIN_STREAM, /* a connection of stream_client.h: TCP, TLS, HTTPS */
    ORIGIN_QUIC,
};

struct origin {
    enum origin_kind kind;
    uint8_t transport; /* enum config_transport */
    union {
        struct origin_datagram datagram;
        struct origin_stream connection;
    };
};
