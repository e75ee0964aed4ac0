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

struct origin_datagram {
    struct listen_udp *listener; /* lives as long as the worker */
    union origin_peer peer;
    struct in6_addr local; /* the address asked, on a wildcard listener; IPv4 in its first octets */
    uint32_t interface;    /* of a link-local IPv6 local address, else 0 */
};

struct origin_stream {
    uint32_t slot;   /* in the worker's table of client streams */
    uint32_t serial; /* of the connection that held the slot then */
};

struct origin {
    bool stream;
    union {
        struct origin_datagram datagram;
        struct origin_stream connection;
    };
};
