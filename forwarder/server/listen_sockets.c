/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Binding the listening sockets (see listen_sockets.h).
 */
#include "forwarder/server/listen_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forwarder/config/config.h"
#include "forwarder/config/config_listen.h"
#include "forwarder/server/inherited_sockets.h"

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

/* Here alone: listen is the name of rows elsewhere. */
static int start_listening(int descriptor)
{
    return listen(descriptor, BACKLOG);
}

/* What every socket is set to, whoever has made it. */
static bool prepare(int descriptor, const struct config_listen *listen)
{
    bool ipv6 = listen->address.sockaddr.ss_family == AF_INET6;
    return !config_listen_is_datagrams(listen) ||
           prepare_udp(descriptor, ipv6, is_wildcard(&listen->address));
}

static int open_socket(const struct config_listen *listen)
{
    const struct config_address *address = &listen->address;
    bool ipv6 = address->sockaddr.ss_family == AF_INET6;
    bool datagrams = config_listen_is_datagrams(listen);
    int type = (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int descriptor = socket(address->sockaddr.ss_family, type, 0);
    if (descriptor < 0) {
        return -1;
    }
    if ((ipv6 && !set(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1)) ||
        (!datagrams && !set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)) ||
        !set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) || !prepare(descriptor, listen) ||
        bind(descriptor, (const struct sockaddr *)&address->sockaddr, address->size) != 0 ||
        (!datagrams && start_listening(descriptor) != 0)) {
        int error = errno;
        close(descriptor);
        errno = error;
        return -1;
    }
    return descriptor;
}

/* One that was handed over, or a new one. */
static int obtain_socket(const struct config_listen *listen, struct inherited_sockets *inherited)
{
    int descriptor = inherited_sockets_find(inherited, listen);
    if (descriptor < 0) {
        return open_socket(listen);
    }
    if (!prepare(descriptor, listen)) {
        int error = errno;
        close(descriptor);
        errno = error;
        return -1;
    }
    return descriptor;
}

static void say_why(const struct config_listen *listen, char why[static WHY_MAX])
{
    int error = errno;
    const struct config_address *address = &listen->address;
    char host[INET6_ADDRSTRLEN] = "";
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address->sockaddr;
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address->sockaddr;
    bool is_ipv4 = address->sockaddr.ss_family == AF_INET;
    inet_ntop(address->sockaddr.ss_family,
              is_ipv4 ? (const void *)&ipv4->sin_addr : (const void *)&ipv6->sin6_addr, host,
              sizeof(host));
    snprintf(why, WHY_MAX, "cannot listen on %s port %u (%s): %s", host,
             (unsigned)ntohs(is_ipv4 ? ipv4->sin_port : ipv6->sin6_port),
             config_listen_transport(listen), strerror(error));
}

/* Sockets of one worker, in an array that grows. */
struct sockets {
    struct worker_socket *items;
    size_t count;
};

/* Takes over the descriptor in any case. */
static bool add(struct sockets *sockets, int descriptor, const struct config_listen *listen)
{
    struct worker_socket *items =
        realloc(sockets->items, (sockets->count + 1) * sizeof(struct worker_socket));
    if (items == NULL) {
        close(descriptor);
        return false;
    }
    sockets->items = items;
    items[sockets->count++] =
        (struct worker_socket){descriptor, listen, is_wildcard(&listen->address)};
    return true;
}

struct worker_socket *listen_sockets_open(const struct config *config,
                                          struct inherited_sockets *inherited, bool last,
                                          size_t *count, char why[static WHY_MAX])
{
    struct sockets sockets = {0};
    for (size_t i = 0; i < config->listen_count; i++) {
        const struct config_listen *listen = &config->listen[i];
        int descriptor = obtain_socket(listen, inherited);
        if (descriptor < 0 || !add(&sockets, descriptor, listen)) {
            say_why(listen, why);
            goto fail;
        }
        while (last && (descriptor = inherited_sockets_find(inherited, listen)) >= 0) {
            if (!prepare(descriptor, listen) || !add(&sockets, descriptor, listen)) {
                say_why(listen, why);
                goto fail;
            }
        }
    }
    *count = sockets.count;
    return sockets.items;
fail:
    while (sockets.count > 0) {
        close(sockets.items[--sockets.count].descriptor);
    }
    free(sockets.items);
    return NULL;
}
