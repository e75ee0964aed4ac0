/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A bound UDP socket and its address, for tests of what is sent and received.
 */
#pragma once

#include <arpa/inet.h>
#include <check.h>
#include <string.h>
#include <sys/socket.h>

#include "forwarder/origin.h"

struct udp_end {
    int descriptor;
    union origin_peer address;
    socklen_t size;
};

/* Bound to this address, IPv4 or IPv6; the port in network order, 0: any. */
static inline struct udp_end udp_end_open_at(const char *text, in_port_t port)
{
    struct udp_end end = {.size = sizeof end.address.ipv4};
    if (strchr(text, ':') != NULL) {
        end.address.ipv6.sin6_family = AF_INET6;
        end.address.ipv6.sin6_port = port;
        end.size = sizeof end.address.ipv6;
        ck_assert_int_eq(inet_pton(AF_INET6, text, &end.address.ipv6.sin6_addr), 1);
    } else {
        end.address.ipv4.sin_family = AF_INET;
        end.address.ipv4.sin_port = port;
        ck_assert_int_eq(inet_pton(AF_INET, text, &end.address.ipv4.sin_addr), 1);
    }
    end.descriptor = socket(end.address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(end.descriptor, 0);
    ck_assert_int_eq(bind(end.descriptor, &end.address.any, end.size), 0);
    ck_assert_int_eq(getsockname(end.descriptor, &end.address.any, &end.size), 0);
    return end;
}

static inline struct udp_end udp_end_open(const char *text)
{
    return udp_end_open_at(text, 0);
}
