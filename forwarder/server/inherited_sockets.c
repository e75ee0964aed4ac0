/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sockets handed over by the service manager (see inherited_sockets.h).
 */
#include "forwarder/server/inherited_sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "forwarder/config/config_address.h"
#include "forwarder/config/config_listen.h"
#include "forwarder/log.h"
#include "forwarder/server/listen_socket.h"
#include "forwarder/server/service_manager.h"

struct inherited_socket {
    int descriptor; /* -1: taken */
    char *name;     /* as the service manager calls it */
};

struct inherited_sockets {
    size_t count;
    struct inherited_socket items[];
};

struct inherited_sockets *inherited_sockets_take(void)
{
    char **names = NULL;
    int count = sd_listen_fds_with_names(1, &names);
    if (count <= 0) {
        return NULL;
    }
    struct inherited_sockets *inherited =
        calloc(1, sizeof *inherited + (size_t)count * sizeof inherited->items[0]);
    for (int i = 0; i < count; i++) {
        int descriptor = SD_LISTEN_FDS_START + i; /* closed on exec: the library has seen to it */
        if (inherited == NULL) {
            close(descriptor);
            free(names[i]);
            continue;
        }
        inherited->items[inherited->count++] = (struct inherited_socket){descriptor, names[i]};
    }
    free(names);
    return inherited;
}

void inherited_sockets_free(struct inherited_sockets *inherited)
{
    if (inherited == NULL) {
        return;
    }
    for (size_t i = 0; i < inherited->count; i++) {
        struct inherited_socket *item = &inherited->items[i];
        if (item->descriptor >= 0) {
            char value[LOG_VALUE_MAX];
            log_event(LOG_LEVEL_WARNING, "server", "inherited socket not wanted", "name=%s",
                      log_quote(item->name, value, sizeof value));
            service_manager_drop(item->name);
            close(item->descriptor);
        }
        free(item->name);
    }
    free(inherited);
}

typedef bool compare_fn(const struct config_address *a, const struct config_address *b);

/* Is it of the kind that the row needs, and bound to what compares with its address? */
static bool is_bound(int descriptor, const struct config_listen *listen, compare_fn *compare)
{
    int type = config_listen_is_datagrams(listen) ? SOCK_DGRAM : SOCK_STREAM;
    struct config_address bound = {.size = sizeof bound.sockaddr};
    if (sd_is_socket(descriptor, AF_UNSPEC, type, type == SOCK_STREAM) <= 0 ||
        getsockname(descriptor, (struct sockaddr *)&bound.sockaddr, &bound.size) != 0) {
        return false;
    }
    return compare(&bound, &listen->address);
}

static bool is_for(int descriptor, const struct config_listen *listen)
{
    return is_bound(descriptor, listen, config_address_equal);
}

/* Was it kept by this program, under a name of its own? */
static bool is_own(const char *name, const struct config_listen *listen)
{
    char first[INHERITED_SOCKETS_NAME_MAX];
    size_t stem = strlen(inherited_sockets_name(listen, 0, first)) - 1; /* all but the number */
    return strncmp(name, first, stem) == 0;
}

/* Was it kept for this worker; or, if it was not kept by us at all, may anybody have it? */
static bool is_of(const char *name, const struct config_listen *listen, size_t worker)
{
    char own[INHERITED_SOCKETS_NAME_MAX];
    return !is_own(name, listen) || strcmp(name, inherited_sockets_name(listen, worker, own)) == 0;
}

static int take(struct inherited_socket *item)
{
    int descriptor = item->descriptor;
    item->descriptor = -1;
    int flags = fcntl(descriptor, F_GETFL);
    (void)fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
    return descriptor;
}

int inherited_sockets_find(struct inherited_sockets *inherited, const struct config_listen *listen,
                           size_t worker, bool *foreign)
{
    for (size_t i = 0; inherited != NULL && i < inherited->count; i++) {
        struct inherited_socket *item = &inherited->items[i];
        if (item->descriptor >= 0 && is_for(item->descriptor, listen) &&
            is_of(item->name, listen, worker)) {
            *foreign = !is_own(item->name, listen);
            return take(item);
        }
    }
    return -1;
}

bool inherited_sockets_meet(const struct inherited_sockets *inherited,
                            const struct config_listen *listen)
{
    for (size_t i = 0; inherited != NULL && i < inherited->count; i++) {
        int descriptor = inherited->items[i].descriptor;
        if (descriptor >= 0 && is_bound(descriptor, listen, listen_socket_meets)) {
            return true;
        }
    }
    return false;
}

int inherited_sockets_find_any(struct inherited_sockets *inherited,
                               const struct config_listen *listen)
{
    for (size_t i = 0; inherited != NULL && i < inherited->count; i++) {
        struct inherited_socket *item = &inherited->items[i];
        if (item->descriptor >= 0 && is_for(item->descriptor, listen)) {
            service_manager_drop(item->name);
            return take(item);
        }
    }
    return -1;
}

const char *inherited_sockets_name(const struct config_listen *listen, size_t worker,
                                   char out[static INHERITED_SOCKETS_NAME_MAX])
{
    char host[INET6_ADDRSTRLEN] = "";
    const struct sockaddr_storage *any = &listen->address.sockaddr;
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)any;
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)any;
    bool is_ipv4 = any->ss_family == AF_INET;
    inet_ntop(any->ss_family, is_ipv4 ? (const void *)&ipv4->sin_addr : &ipv6->sin6_addr, host,
              sizeof host);
    for (char *colon = host; (colon = strchr(colon, ':')) != NULL;) {
        *colon = '_';
    }
    snprintf(out, INHERITED_SOCKETS_NAME_MAX, "%s-%s-%u-%zu",
             config_listen_is_datagrams(listen) ? "udp" : "tcp", host,
             (unsigned)ntohs(is_ipv4 ? ipv4->sin_port : ipv6->sin6_port), worker);
    return out;
}
