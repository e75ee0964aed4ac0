/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Binding the listening sockets (see listen_sockets.h).
 */
#include "forwarder/listen_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forwarder/config/config.h"

#define RECEIVE_BUFFER (4 * 1024 * 1024)
#define BACKLOG 4096

static bool is_wildcard(const struct config_address *address)
{
    if (address->sockaddr.ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address->sockaddr;
        return ipv4->sin_addr.s_addr == htonl(INADDR_ANY);
    }
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address->sockaddr;
    return IN6_IS_ADDR_UNSPECIFIED(&ipv6->sin6_addr);
}

static bool set(int descriptor, int level, int option, int value)
{
    return setsockopt(descriptor, level, option, &value, sizeof(value)) == 0;
}

/* As large a queue as the kernel grants: bursts wait there while a worker is busy. */
static void set_receive_buffer(int descriptor)
{
    if (!set(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)) {
        (void)set(descriptor, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
    }
}

/* Datagrams: answers leave whole or in fragments as their size demands, but never follow a path MTU
 * that a forged ICMP message announced (RFC 9715). */
static bool prepare_udp(int descriptor, bool ipv6, bool wildcard)
{
    set_receive_buffer(descriptor);
    if (ipv6) {
        return set(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT) &&
               (!wildcard || set(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1));
    }
    return set(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT) &&
           (!wildcard || set(descriptor, IPPROTO_IP, IP_PKTINFO, 1));
}

static int open_socket(const struct config_address *address, bool udp)
{
    bool ipv6 = address->sockaddr.ss_family == AF_INET6;
    int type = (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int descriptor = socket(address->sockaddr.ss_family, type, 0);
    if (descriptor < 0) {
        return -1;
    }
    if ((ipv6 && !set(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1)) ||
        (!udp && !set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)) ||
        !set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) ||
        (udp && !prepare_udp(descriptor, ipv6, is_wildcard(address))) ||
        bind(descriptor, (const struct sockaddr *)&address->sockaddr, address->size) != 0 ||
        (!udp && listen(descriptor, BACKLOG) != 0)) {
        int error = errno;
        close(descriptor);
        errno = error;
        return -1;
    }
    return descriptor;
}

static void say_why(const struct config_address *address, bool udp, char why[static WHY_MAX])
{
    int error = errno;
    char host[INET6_ADDRSTRLEN] = "";
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address->sockaddr;
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address->sockaddr;
    bool is_ipv4 = address->sockaddr.ss_family == AF_INET;
    inet_ntop(address->sockaddr.ss_family,
              is_ipv4 ? (const void *)&ipv4->sin_addr : (const void *)&ipv6->sin6_addr, host,
              sizeof(host));
    snprintf(why, WHY_MAX, "cannot listen on %s port %u (%s): %s", host,
             (unsigned)ntohs(is_ipv4 ? ipv4->sin_port : ipv6->sin6_port), udp ? "udp" : "tcp",
             strerror(error));
}

static bool open_one(const struct config_listen *listen, bool udp, struct worker_socket *sockets,
                     size_t *count)
{
    int descriptor = open_socket(&listen->address, udp);
    if (descriptor < 0) {
        return false;
    }
    sockets[(*count)++] = (struct worker_socket){
        .descriptor = descriptor,
        .udp = udp,
        .wildcard = is_wildcard(&listen->address),
    };
    return true;
}

struct worker_socket *listen_sockets_open(const struct config *config, size_t *count,
                                          char why[static WHY_MAX])
{
    struct worker_socket *sockets = calloc(config->listen_count * 2, sizeof(*sockets));
    *count = 0;
    if (sockets == NULL) {
        snprintf(why, WHY_MAX, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < config->listen_count; i++) {
        const struct config_listen *listen = &config->listen[i];
        bool opened_udp = !listen->udp || open_one(listen, true, sockets, count);
        if (!opened_udp || (listen->tcp && !open_one(listen, false, sockets, count))) {
            say_why(&listen->address, !opened_udp, why);
            while (*count > 0) {
                close(sockets[--*count].descriptor);
            }
            free(sockets);
            return NULL;
        }
    }
    return sockets;
}
