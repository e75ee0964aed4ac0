/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * forwarder.conf as read (interfaces section 2): plain data, checked, with every default filled in.
 * Reading reports every problem of the file with its place. What this build does not support yet is
 * an error that says so. Files that the configuration names are not opened here, but for their
 * paths, which are made absolute from the configuration's own folder.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forwarder/log.h"
#include "geo/geo_db.h"
#include "geo/network.h"
#include "geo/problem.h"
#include "policy/order.h"

/* A socket address of either family. */
struct config_address {
    struct sockaddr_storage sockaddr;
    socklen_t size;
};

struct config_listen {
    struct config_address address;
    bool udp;
    bool tcp;
};

struct config_server {
    char *host; /* as written: an address or a name */
    uint16_t port;
    bool is_address;
    struct address address; /* if is_address */
    uint32_t scope_id;      /* of a link-local IPv6 address with %zone; else 0 */
};

enum config_balance {
    CONFIG_BALANCE_FIRST,
    CONFIG_BALANCE_LEAST_OUTSTANDING,
    CONFIG_BALANCE_CLIENT_HASH,
};

struct config_health_check {
    bool enabled;
    char *name; /* without trailing dot but for "." */
    uint16_t type;
    unsigned interval_ms;
    unsigned down_after;
    unsigned up_after;
};

struct config_upstream {
    struct config_server *servers;
    size_t server_count;
    struct config_server *bootstrap; /* addresses only; none: the system's */
    size_t bootstrap_count;
    enum config_balance balance;
    unsigned retry_after_ms;
    unsigned timeout_ms;
    struct config_health_check health_check;
};

struct config_block {
    enum order_action action; /* never ORDER_SHADOW */
    uint32_t ttl_s;
    char **contacts; /* URIs */
    size_t contact_count;
    char *organization;
    char *protected_names;    /* path or NULL */
    char *protected_networks; /* path or NULL */
    char *cookie_secret;      /* path or NULL */
};

struct config_limits {
    unsigned tcp_connections;
    unsigned tcp_per_client;
    unsigned tcp_idle_ms;
    unsigned in_flight;   /* a worker */
    size_t stream_output; /* octets */
};

struct config {
    char *path;

    struct config_listen *listen;
    size_t listen_count;
    unsigned workers; /* 0: one per CPU this process may use */

    struct network_set *allow; /* NULL: everybody */

    struct config_upstream upstream;

    char *geo_database;
    enum geo_field geo_field;
    char *geo_overrides; /* or NULL */
    int64_t geo_max_age_s;

    char *orders;
    bool watch; /* edits that others make are loaded without being asked to */
    char *state;
    struct config_block block;
    bool resolver_arpa_nodata;
    struct config_limits limits;
    char *control;
    enum log_level log_level;
};

/* Reads and checks a file. NULL if there was any error in it; all are in problems. */
struct config *config_read(const char *path, struct problem_list *problems);

/* The same from memory; path names it in problems and anchors relative paths. */
struct config *config_parse(const char *path, const char *bytes, size_t size,
                            struct problem_list *problems);
void config_free(struct config *config); /* NULL is allowed */

/* One after the other, the keys of those that only a start can change (listen, workers, upstream,
 * limits, state, control) whose value differs; then NULL. *next is 0 for the first call. */
const char *config_fixed_difference(const struct config *a, const struct config *b, size_t *next);
