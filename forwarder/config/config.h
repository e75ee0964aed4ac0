/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * forwarder.conf(5) as read: plain data, checked, with every default filled in. Reading reports
 * every problem of the file with its place. The files that the configuration names are not opened
 * here; only their paths are made absolute, from the configuration's own folder.
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

/* Where something stands in forwarder.conf, from 1; zeroed: it does not. */
struct config_place {
    unsigned line;
    unsigned column;
};

/* A socket address of either family. */
struct config_address {
    struct sockaddr_storage sockaddr;
    socklen_t size;
};

enum config_transport {
    CONFIG_UDP,
    CONFIG_TCP,
    CONFIG_TLS,   /* RFC 7858 */
    CONFIG_HTTPS, /* RFC 8484 */
    CONFIG_QUIC,  /* RFC 9250 */
};

/* Where a listener expects clients' PROXY headers (PROXY protocol version 2). One that does expect
 * them takes nothing that comes without. */
enum config_proxy {
    CONFIG_PROXY_NO,
    CONFIG_PROXY_FIRST,  /* before anything else, of TLS too */
    CONFIG_PROXY_INSIDE, /* inside TLS, as its first octets */
};

/* One socket that clients ask: an item of `listen` gives one for each of its transports. */
struct config_listen {
    struct config_address address; /* with its port */
    enum config_transport transport;
    enum config_proxy proxy;
    bool cleartext;    /* https: HTTP/2 without TLS, which ends before us */
    bool freebind;     /* the machine need not have the address yet */
    char *certificate; /* paths, of tls, https and quic; NULL for others and for cleartext */
    char *key;
    size_t item;               /* in the list as it is written, from 0 */
    struct config_place place; /* of that item */
};

/* Peers that may speak for a client; NULL: nobody. */
struct config_trust {
    struct network_set *proxy_protocol;
    struct network_set *ecs;
    struct network_set *forwarded_for;
};

struct config_server {
    char *host; /* as written: an address or a name */
    uint16_t port;
    bool is_address;
    struct address address; /* if is_address */
    uint32_t scope_id;      /* of a link-local IPv6 address with %zone; else 0 */
    bool tls;               /* RFC 7858, for all messages; else UDP for UDP, TCP for the rest */
    char *tls_name;         /* with tls: the name that its certificate must be for */
};

enum config_balance {
    CONFIG_BALANCE_FIRST,
    CONFIG_BALANCE_LEAST_OUTSTANDING,
    CONFIG_BALANCE_CLIENT_HASH,
};

/* How the resolver learns who asks. */
enum config_send_client {
    CONFIG_SEND_NO,    /* not at all: the query's bytes are unchanged */
    CONFIG_SEND_ECS,   /* the client's network (RFC 7871) */
    CONFIG_SEND_PROXY, /* a PROXY header (version 2) before each query or stream */
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
    enum config_send_client send_client;
    uint8_t ecs_ipv4; /* bits of the client's address that ECS tells */
    uint8_t ecs_ipv6;
    char *tls_ca; /* file of certificates that sign those of servers; NULL: the system's */
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
    unsigned in_flight;    /* a worker */
    size_t stream_output;  /* octets */
    size_t receive_buffer; /* octets; 0: not said */
};

/* Where Prometheus asks. */
struct config_metrics {
    bool enabled;
    struct config_address address;
};

#define CONFIG_RATE_MAX 1000000 /* a second */

/* The limits of `rate-limit`; 0: no limit. */
struct config_rate_limit {
    uint32_t answers; /* made here, a second and network */
    uint32_t queries; /* a second and client */
    uint32_t slip;    /* of queries over a limit one in so many is answered with TC; 0: none */
    struct network_set *exempt; /* NULL: nobody */
};

/* Which queries dnstap reports. */
enum config_dnstap_queries {
    CONFIG_DNSTAP_BLOCKED,
    CONFIG_DNSTAP_ALL,
};

#define CONFIG_IDENTITY_MAX 255 /* octets */

struct config_dnstap {
    char *socket; /* paths, one of them; both NULL: no dnstap */
    char *file;
    enum config_dnstap_queries queries;
    char *identity; /* NULL: the host's name */
};

#define CONFIG_WORKERS_MAX 1024

/* Keys that only a start can change; at least as many as config.c lists. */
#define CONFIG_FIXED_MAX 16

struct config {
    char *path;
    struct config_place fixed_places[CONFIG_FIXED_MAX]; /* of keys that only a start can change */
    struct config_place workers_place;
    struct config_place upstream_place;

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
    bool watch; /* edited files are loaded without a command */
    char *state;
    struct config_block block;
    bool resolver_arpa_nodata;
    struct config_trust trust;
    struct config_limits limits;
    struct config_rate_limit rate_limit;
    char *control;
    struct config_metrics metrics;
    struct config_dnstap dnstap;
    char *user;   /* that a process started as root becomes; NULL: it stays who it is */
    bool sandbox; /* a filter over system calls, and no core dumps */
    enum log_level log_level;
    enum log_format log_format;
};

/* Reads and checks a file. NULL if there was any error in it; all are in problems. */
struct config *config_read(const char *path, struct problem_list *problems);

/* The same from memory; path names it in problems and anchors relative paths. */
struct config *config_parse(const char *path, const char *bytes, size_t size,
                            struct problem_list *problems);

/* What can be known of a file that may have errors, for who judges what it names and puts nothing
 * into force: a value with an error has its default; without one, and for a key that must be there
 * and is not, it is zero or NULL. Lists lack items with an error. Of a file that is no YAML nothing
 * is known. NULL if the file cannot be read. */
struct config *config_read_draft(const char *path, struct problem_list *problems);

/* The same from memory; NULL only when memory is out. */
struct config *config_parse_draft(const char *path, const char *bytes, size_t size,
                                  struct problem_list *problems);
void config_free(struct config *config); /* NULL is allowed */

/* The place of a key of the top that only a start can change, of `workers` or of `upstream`. */
struct config_place config_place_of(const struct config *config, const char *key);

/* Finds the keys that only a start can change (state, limits, control, metrics, dnstap, user,
 * sandbox) and whose values differ, one a call: its name, and its place in b. *next is 0 for the
 * first call; NULL when there are no more. */
const char *config_fixed_difference(const struct config *a, const struct config *b, size_t *next,
                                    struct config_place *place);
