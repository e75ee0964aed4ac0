/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Making a listening socket (see listen_socket.h).
 */
#include "forwarder/server/listen_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forwarder/config/config_address.h"
#include "forwarder/config/config_listen.h"
#include "forwarder/socket_state.h"

#define BACKLOG 4096

bool listen_socket_is_wildcard(const struct config_address *address)
{
    if (address->sockaddr.ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address->sockaddr;
        return ipv4->sin_addr.s_addr == htonl(INADDR_ANY);
    }
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address->sockaddr;
    return IN6_IS_ADDR_UNSPECIFIED(&ipv6->sin6_addr);
}

static uint16_t port_of(const struct config_address *address)
{
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address->sockaddr;
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address->sockaddr;
    return ntohs(address->sockaddr.ss_family == AF_INET ? ipv4->sin_port : ipv6->sin6_port);
}

bool listen_socket_meets(const struct config_address *a, const struct config_address *b)
{
    return config_address_equal(a, b) ||
           (a->sockaddr.ss_family == b->sockaddr.ss_family && port_of(a) == port_of(b) &&
            (listen_socket_is_wildcard(a) || listen_socket_is_wildcard(b)));
}

static bool set(int descriptor, int level, int option, int value)
{
    return setsockopt(descriptor, level, option, &value, sizeof value) == 0;
}

/* Datagrams: answers leave whole or in fragments as their size demands, but never follow a path MTU
 * that a forged ICMP message announced (RFC 9715). */
static bool prepare_udp(int descriptor, bool ipv6, bool wildcard)
{
    if (ipv6) {
        return set(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT) &&
               (!wildcard || set(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1));
    }
    return set(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT) &&
           (!wildcard || set(descriptor, IPPROTO_IP, IP_PKTINFO, 1));
}

/* An anycast address comes and goes with its route; who serves it listens before (ip(7)). */
static bool set_freebind(int descriptor, bool ipv6)
{
    return ipv6 ? set(descriptor, IPPROTO_IPV6, IPV6_FREEBIND, 1)
                : set(descriptor, IPPROTO_IP, IP_FREEBIND, 1);
}

/* Here alone: listen is the name of rows elsewhere. */
static int start_listening(int descriptor)
{
    return listen(descriptor, BACKLOG);
}

bool listen_socket_prepare(int descriptor, const struct config_listen *listen,
                           size_t receive_buffer)
{
    bool ipv6 = listen->address.sockaddr.ss_family == AF_INET6;
    if (!config_listen_is_datagrams(listen)) {
        return true;
    }
    socket_state_ask(descriptor, receive_buffer);
    return prepare_udp(descriptor, ipv6, listen_socket_is_wildcard(&listen->address));
}

static bool bind_to(int descriptor, const struct config_address *address)
{
    return bind(descriptor, (const struct sockaddr *)&address->sockaddr, address->size) == 0;
}

/* Closes it and keeps errno. Returns -1. */
static int give_up(int descriptor)
{
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

static bool share(int descriptor)
{
    return set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1);
}

/* One that is not bound yet. */
static int new_socket(const struct config_listen *listen, size_t receive_buffer,
                      enum listen_socket_sharing sharing)
{
    bool ipv6 = listen->address.sockaddr.ss_family == AF_INET6;
    bool datagrams = config_listen_is_datagrams(listen);
    int type = (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int descriptor = socket(listen->address.sockaddr.ss_family, type, 0);
    if (descriptor < 0) {
        return -1;
    }
    if ((ipv6 && !set(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1)) ||
        (!datagrams && !set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)) ||
        (sharing == LISTEN_SOCKET_SHARED && !share(descriptor)) ||
        (listen->freebind && !set_freebind(descriptor, ipv6)) ||
        !listen_socket_prepare(descriptor, listen, receive_buffer)) {
        return give_up(descriptor);
    }
    return descriptor;
}

/* Streams are alone only once they listen: two that are bound are not in each other's way yet. */
int listen_socket_open(const struct config_listen *listen, size_t receive_buffer,
                       enum listen_socket_sharing sharing)
{
    int descriptor = new_socket(listen, receive_buffer, sharing);
    if (descriptor >= 0 &&
        (!bind_to(descriptor, &listen->address) ||
         (!config_listen_is_datagrams(listen) && start_listening(descriptor) != 0) ||
         !share(descriptor))) {
        return give_up(descriptor);
    }
    return descriptor;
}

/* Nothing comes to a socket of an interface that there is not. IPv6 wants one that there is: that
 * of the machine itself, which is always the first. */
static bool hide(int descriptor, bool ipv6)
{
    return set(descriptor, SOL_SOCKET, SO_BINDTOIFINDEX, ipv6 ? 1 : INT_MAX);
}

/* A stream socket that does not listen yet takes nothing, and one for datagrams is hidden. */
bool listen_socket_try(const struct config_listen *listen, size_t receive_buffer,
                       enum listen_socket_sharing sharing)
{
    bool ipv6 = listen->address.sockaddr.ss_family == AF_INET6;
    int descriptor = new_socket(listen, receive_buffer, sharing);
    if (descriptor < 0) {
        return false;
    }
    if (config_listen_is_datagrams(listen)) {
        (void)hide(descriptor, ipv6); /* if not, it takes what comes in this very moment */
    }
    bool bound = bind_to(descriptor, &listen->address);
    give_up(descriptor);
    return bound;
}

void listen_socket_why(const struct config_listen *listen, char why[static WHY_MAX])
{
    int error = errno;
    const struct config_address *address = &listen->address;
    char host[INET6_ADDRSTRLEN] = "";
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address->sockaddr;
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address->sockaddr;
    bool is_ipv4 = address->sockaddr.ss_family == AF_INET;
    inet_ntop(address->sockaddr.ss_family,
              is_ipv4 ? (const void *)&ipv4->sin_addr : (const void *)&ipv6->sin6_addr, host,
              sizeof host);
    snprintf(why, WHY_MAX, "cannot listen on %s port %u (%s): %s%s", host,
             (unsigned)port_of(address), config_listen_transport(listen), strerror(error),
             error == EADDRINUSE ? ": another process has this port" : "");
}
