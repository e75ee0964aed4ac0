/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Resolving the names of upstream servers (see upstream_names.h).
 *
 * Each host name: looked up ──► known (next look-up when the least TTL ends,
 * TTL_MIN_S to TTL_MAX_S) ──► looked up …; a failure is tried again
 * after RETRY_S, and what was known stays.
 */
#include "forwarder/upstream/upstream_names.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/config/config.h"
#include "forwarder/log.h"
#include "forwarder/upstream/ares_loop.h"
#include "forwarder/upstream/upstream_set.h"

#define ADDRESSES_MAX 16 /* of one name; more are left out */
#define TTL_MIN_S 1      /* c-ares reports 0 for literals and /etc/hosts */
#define TTL_MAX_S 3600
#define RETRY_S 5
#define START_WAIT_MS 3000
#define LOOKUP_TIMEOUT_MS 1000
#define LOOKUP_TRIES 2

/* One configured server: an address, or a name and what it last resolved to. */
struct named_server {
    struct upstream_names *names;
    const struct config_server *config;
    struct event *timer;
    bool pending; /* its first look-up has not ended */
    size_t count;
    struct upstream_target *targets[ADDRESSES_MAX]; /* references, sorted by address */
};

struct upstream_names {
    struct event_base *base;
    const struct config_upstream *config;
    size_t workers;
    struct ares_loop *loop;
    struct named_server *servers; /* config->server_count of them */
    uint64_t set_number;
    struct event *waited; /* the first look-ups have had their time */
    bool started;
    upstream_names_fn *on_set;
    void *ctx;
};

/* "192.0.2.1:53,[2001:db8::1]:53", or NULL for the system's servers; to be freed. */
static bool bootstrap_csv(const struct config_upstream *config, char **out)
{
    size_t room = config->bootstrap_count * (ADDRESS_TEXT_MAX + 10) + 1;
    size_t used = 0;
    *out = NULL;
    if (config->bootstrap_count == 0) {
        return true;
    }
    char *text = calloc(1, room);
    if (text == NULL) {
        return false;
    }
    for (size_t i = 0; i < config->bootstrap_count; i++) {
        const struct config_server *server = &config->bootstrap[i];
        char address[ADDRESS_TEXT_MAX];
        const char *form = address_is_ipv4(&server->address) ? "%s%s:%u" : "%s[%s]:%u";
        used += (size_t)snprintf(text + used, room - used, form, i == 0 ? "" : ",",
                                 address_format(&server->address, address), server->port);
    }
    *out = text;
    return true;
}

static void drop_targets(struct named_server *server)
{
    for (size_t i = 0; i < server->count; i++) {
        upstream_target_unref(server->targets[i]);
    }
    server->count = 0;
}

/* The socket address of a configured literal. */
static struct config_address literal_address(const struct config_server *server)
{
    struct config_address out = {0};
    if (address_is_ipv4(&server->address)) {
        struct sockaddr_in *ipv4 = (struct sockaddr_in *)&out.sockaddr;
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons(server->port);
        memcpy(&ipv4->sin_addr, server->address.octet + 12, sizeof ipv4->sin_addr);
        out.size = sizeof *ipv4;
        return out;
    }
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&out.sockaddr;
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = htons(server->port);
    ipv6->sin6_scope_id = server->scope_id;
    memcpy(&ipv6->sin6_addr, server->address.octet, sizeof ipv6->sin6_addr);
    out.size = sizeof *ipv6;
    return out;
}

/* A look-up's address with the configured port; field by field, so that equal addresses are equal
 * octets. */
static bool found_address(const struct ares_addrinfo_node *node, uint16_t port,
                          struct config_address *out)
{
    *out = (struct config_address){0};
    if (node->ai_family == AF_INET) {
        struct sockaddr_in *ipv4 = (struct sockaddr_in *)&out->sockaddr;
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons(port);
        ipv4->sin_addr = ((const struct sockaddr_in *)node->ai_addr)->sin_addr;
        out->size = sizeof *ipv4;
        return true;
    }
    if (node->ai_family == AF_INET6) {
        const struct sockaddr_in6 *found = (const struct sockaddr_in6 *)node->ai_addr;
        struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&out->sockaddr;
        ipv6->sin6_family = AF_INET6;
        ipv6->sin6_port = htons(port);
        ipv6->sin6_addr = found->sin6_addr;
        ipv6->sin6_scope_id = found->sin6_scope_id;
        out->size = sizeof *ipv6;
        return true;
    }
    return false;
}

static struct upstream_target *new_target(const struct named_server *server,
                                          const struct config_address *address)
{
    struct upstream_target *target = upstream_target_new(address, server->names->workers);
    if (target != NULL) {
        target->tls_name = server->config->tls_name;
    }
    return target;
}

/* The target of an address: the one this name had before keeps its sockets and health. */
static struct upstream_target *obtain_target(struct named_server *server,
                                             const struct config_address *address)
{
    for (size_t i = 0; i < server->count; i++) {
        if (upstream_target_same(server->targets[i], address)) {
            return upstream_target_ref(server->targets[i]);
        }
    }
    return new_target(server, address);
}

static int compare_targets(const void *a, const void *b)
{
    const struct upstream_target *const *x = a;
    const struct upstream_target *const *y = b;
    return strcmp((*x)->text, (*y)->text);
}

/* Hands on a set of all targets there are now. */
static bool publish(struct upstream_names *names)
{
    size_t count = 0;
    for (size_t i = 0; i < names->config->server_count; i++) {
        count += names->servers[i].count;
    }
    struct upstream_target **all = calloc(count + 1, sizeof(struct upstream_target *));
    if (all == NULL) {
        return false;
    }
    count = 0;
    for (size_t i = 0; i < names->config->server_count; i++) {
        const struct named_server *server = &names->servers[i];
        memcpy(all + count, server->targets, server->count * sizeof(struct upstream_target *));
        count += server->count;
    }
    struct upstream_set *set = upstream_set_new(names->set_number + 1, all, count);
    free(all);
    if (set == NULL) {
        return false;
    }
    names->set_number++;
    set->config = names->config;
    names->on_set(names->ctx, set);
    return true;
}

static void schedule(struct named_server *server, int seconds)
{
    struct timeval delay = {.tv_sec = seconds};
    event_add(server->timer, &delay);
}

static bool same_targets(const struct named_server *server, struct upstream_target *const *targets,
                         size_t count)
{
    return count == server->count &&
           memcmp(targets, server->targets, count * sizeof(struct upstream_target *)) == 0;
}

/* When the first of an answer's records runs out, aliases included. */
static int least_ttl(const struct ares_addrinfo *info)
{
    int ttl = TTL_MAX_S;
    for (const struct ares_addrinfo_cname *cname = info->cnames; cname != NULL;
         cname = cname->next) {
        ttl = cname->ttl < ttl ? cname->ttl : ttl;
    }
    for (const struct ares_addrinfo_node *node = info->nodes; node != NULL; node = node->ai_next) {
        ttl = node->ai_ttl < ttl ? node->ai_ttl : ttl;
    }
    return ttl < TTL_MIN_S ? TTL_MIN_S : ttl;
}

static bool is_listed(struct upstream_target *const *targets, size_t count,
                      const struct config_address *address)
{
    for (size_t i = 0; i < count; i++) {
        if (upstream_target_same(targets[i], address)) {
            return true;
        }
    }
    return false;
}

/* Takes over what a look-up found; true if that differs from before. */
static bool take_addresses(struct named_server *server, const struct ares_addrinfo *info)
{
    struct upstream_target *targets[ADDRESSES_MAX];
    size_t count = 0;
    for (const struct ares_addrinfo_node *node = info->nodes; node != NULL && count < ADDRESSES_MAX;
         node = node->ai_next) {
        struct config_address address;
        if (!found_address(node, server->config->port, &address) ||
            is_listed(targets, count, &address)) {
            continue;
        }
        targets[count] = obtain_target(server, &address);
        count += targets[count] != NULL ? 1 : 0;
    }
    qsort(targets, count, sizeof targets[0], compare_targets);
    bool changed = count > 0 && !same_targets(server, targets, count);
    if (count > 0) {
        drop_targets(server);
        memcpy(server->targets, targets, count * sizeof targets[0]);
        server->count = count;
    }
    return changed;
}

static bool any_pending(const struct upstream_names *names)
{
    for (size_t i = 0; i < names->config->server_count; i++) {
        if (names->servers[i].pending) {
            return true;
        }
    }
    return false;
}

static void begin(struct upstream_names *names);

static void on_found(void *ctx, int status, int timeouts, struct ares_addrinfo *info)
{
    struct named_server *server = ctx;
    struct upstream_names *names = server->names;
    int ttl = RETRY_S;
    bool changed = false;
    (void)timeouts;
    if (status == ARES_EDESTRUCTION) {
        return;
    }
    server->pending = false;
    if (status == ARES_SUCCESS && info != NULL) {
        changed = take_addresses(server, info);
        ttl = least_ttl(info);
    } else {
        log_event(LOG_LEVEL_WARNING, "upstream", "name not resolved", "name=%s reason=\"%s\"",
                  server->config->host, ares_strerror(status));
    }
    ares_freeaddrinfo(info);
    schedule(server, ttl);
    if (changed) {
        log_event(LOG_LEVEL_INFO, "upstream", "name resolved", "name=%s addresses=%zu",
                  server->config->host, server->count);
    }
    if (names->started && changed && !publish(names)) {
        log_event(LOG_LEVEL_ERROR, "upstream", "out of memory", "name=%s", server->config->host);
    } else if (!names->started && !any_pending(names)) {
        begin(names);
    }
}

static void look_up(struct named_server *server)
{
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_flags = ARES_AI_NOSORT};
    ares_getaddrinfo(ares_loop_channel(server->names->loop), server->config->host, NULL, &hints,
                     on_found, server);
    ares_loop_started(server->names->loop);
}

static void on_timer(evutil_socket_t descriptor, short what, void *ctx)
{
    (void)descriptor;
    (void)what;
    look_up(ctx);
}

/* A literal is known from the start; a name gets a timer. */
static bool make_server(struct upstream_names *names, size_t index)
{
    struct named_server *server = &names->servers[index];
    server->names = names;
    server->config = &names->config->servers[index];
    if (server->config->is_address) {
        struct config_address address = literal_address(server->config);
        server->targets[0] = new_target(server, &address);
        server->count = server->targets[0] != NULL ? 1 : 0;
        return server->count == 1;
    }
    server->timer = evtimer_new(names->base, on_timer, server);
    server->pending = true;
    return server->timer != NULL;
}

struct upstream_names *upstream_names_new(struct event_base *base,
                                          const struct config_upstream *config, size_t workers,
                                          char why[static WHY_MAX])
{
    char *csv = NULL;
    struct upstream_names *names = calloc(1, sizeof *names);
    snprintf(why, WHY_MAX, "out of memory");
    if (names == NULL) {
        return NULL;
    }
    names->base = base;
    names->config = config;
    names->workers = workers;
    names->servers = calloc(config->server_count, sizeof *names->servers);
    if (names->servers == NULL || !bootstrap_csv(config, &csv)) {
        goto fail;
    }
    struct ares_loop_options options = {.servers = csv,
                                        .timeout_ms = LOOKUP_TIMEOUT_MS,
                                        .tries = LOOKUP_TRIES,
                                        .flags = ARES_FLAG_NOSEARCH};
    names->loop = ares_loop_new(base, &options, why);
    if (names->loop == NULL) {
        goto fail;
    }
    for (size_t i = 0; i < config->server_count; i++) {
        if (!make_server(names, i)) {
            goto fail;
        }
    }
    free(csv);
    return names;
fail:
    free(csv);
    upstream_names_free(names);
    return NULL;
}

void upstream_names_free(struct upstream_names *names)
{
    if (names == NULL) {
        return;
    }
    ares_loop_free(names->loop);
    for (size_t i = 0; names->servers != NULL && i < names->config->server_count; i++) {
        drop_targets(&names->servers[i]);
        if (names->servers[i].timer != NULL) {
            event_free(names->servers[i].timer);
        }
    }
    if (names->waited != NULL) {
        event_free(names->waited);
    }
    free(names->servers);
    free(names);
}

static void begin(struct upstream_names *names)
{
    event_del(names->waited);
    names->started = true;
    if (!publish(names)) {
        log_event(LOG_LEVEL_ERROR, "upstream", "out of memory", "name=%s",
                  names->config->servers[0].host);
    }
}

static void on_waited(evutil_socket_t descriptor, short what, void *ctx)
{
    (void)descriptor;
    (void)what;
    begin(ctx);
}

bool upstream_names_start(struct upstream_names *names, uint64_t after, upstream_names_fn *on_set,
                          void *ctx)
{
    struct timeval limit = {.tv_sec = START_WAIT_MS / 1000};
    names->waited = evtimer_new(names->base, on_waited, names);
    if (names->waited == NULL || event_add(names->waited, &limit) != 0) {
        return false;
    }
    names->set_number = after;
    names->on_set = on_set;
    names->ctx = ctx;
    for (size_t i = 0; i < names->config->server_count; i++) {
        if (names->servers[i].timer != NULL) {
            look_up(&names->servers[i]);
        }
    }
    if (!any_pending(names) && !names->started) {
        begin(names);
    }
    return true;
}
