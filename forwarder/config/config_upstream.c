/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of `upstream`: servers, the servers that resolve their names, and the health check.
 * Names are checked for their form here and looked up elsewhere.
 */
#include "forwarder/config/config_upstream.h"

#include <libknot/libknot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/config/config_address.h"
#include "forwarder/config/config_scalar.h"
#include "policy/dname.h"

#define SERVERS_MAX 64

static const struct config_choice balances[] = {
    {"first", CONFIG_BALANCE_FIRST, NULL},
    {"least-outstanding", CONFIG_BALANCE_LEAST_OUTSTANDING, NULL},
    {"client-hash", CONFIG_BALANCE_CLIENT_HASH, NULL},
    {NULL, 0, NULL},
};

static const struct config_choice transports[] = {
    {"dns", false, NULL},
    {"tls", true, NULL},
    {NULL, 0, NULL},
};

static const struct config_choice send_client_choices[] = {
    {"no", CONFIG_SEND_NO, NULL},
    {"ecs", CONFIG_SEND_ECS, NULL},
    {"proxy-protocol", CONFIG_SEND_PROXY, NULL},
    {NULL, 0, NULL},
};

static bool keep_host(const struct config_value *value, struct config_server *server,
                      char why[static WHY_MAX])
{
    server->host = strdup(value->text);
    if (server->host == NULL) {
        snprintf(why, WHY_MAX, "found no memory");
    }
    return server->host != NULL;
}

static bool parse_address(const struct config_key *key, const struct config_value *value,
                          void *field, char why[static WHY_MAX])
{
    (void)key;
    struct config_server *server = field;
    if (!config_address_parse(value, &server->address, &server->scope_id, why)) {
        return false;
    }
    if (config_address_is_any(&server->address)) {
        snprintf(why, WHY_MAX, "needs the address of a server, not %s", value->shown);
        return false;
    }
    server->is_address = true;
    return keep_host(value, server, why);
}

/* Only digits and dots, or a colon or a zone: it is meant as an address, so that the reader of
 * addresses reports what is wrong with it. */
static bool looks_like_address(const char *text)
{
    return strpbrk(text, ":%[") != NULL || text[strspn(text, "0123456789./")] == '\0';
}

static bool parse_host(const struct config_key *key, const struct config_value *value, void *field,
                       char why[static WHY_MAX])
{
    if (looks_like_address(value->text)) {
        return parse_address(key, value, field, why);
    }
    struct dname name;
    char reason[WHY_MAX];
    if (!dname_parse(value->text, value->len, &name, reason) || name.labels == 0) {
        snprintf(why, WHY_MAX, "needs an address or a host name, not %s", value->shown);
        return false;
    }
    return keep_host(value, field, why);
}

/* A host name that a certificate can be for; kept as a certificate would write it. */
static bool parse_tls_name(const struct config_key *key, const struct config_value *value,
                           void *field, char why[static WHY_MAX])
{
    (void)key;
    struct config_server *server = field;
    struct dname name;
    char reason[WHY_MAX], text[DNAME_TEXT_MAX];
    if (looks_like_address(value->text) || !dname_parse(value->text, value->len, &name, reason) ||
        name.labels == 0) {
        snprintf(why, WHY_MAX, "needs a host name, not %s", value->shown);
        return false;
    }
    server->tls_name = strdup(dname_format(&name, text));
    if (server->tls_name == NULL) {
        snprintf(why, WHY_MAX, "found no memory");
    }
    return server->tls_name != NULL;
}

static const struct config_key server_keys[] = {
    {.name = "address", .parse = parse_host, .required = true},
    CONFIG_WORD("transport", transports, struct config_server, tls, "dns"),
    CONFIG_AMOUNT("port", config_scalar_number, struct config_server, port, NULL, 1, UINT16_MAX),
    {.name = "tls-name", .parse = parse_tls_name},
};
static const struct config_table server_table = CONFIG_TABLE("upstream.servers", server_keys);

static const struct config_key bootstrap_keys[] = {
    {.name = "address", .parse = parse_address, .required = true},
    CONFIG_AMOUNT("port", config_scalar_number, struct config_server, port, "53", 1, UINT16_MAX),
};
static const struct config_table bootstrap_table =
    CONFIG_TABLE("upstream.bootstrap", bootstrap_keys);

/* The name to verify is the host's own, where it has one; an address must come with one. */
static void read_server(struct yaml_node node, struct config_server *server,
                        const struct config_reader *reader)
{
    config_table_read(&server_table, node, server, reader);
    if (server->port == 0) {
        server->port = server->tls ? 853 : 53;
    }
    if (server->tls && server->tls_name == NULL && server->host != NULL) {
        if (server->is_address) {
            yaml_node_problem(node, PROBLEM_ERROR, reader->problems,
                              "transport tls needs tls-name beside an address");
        } else if ((server->tls_name = strdup(server->host)) == NULL) {
            yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "no memory for tls-name");
        }
    } else if (!server->tls && server->tls_name != NULL) {
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "tls-name needs transport tls");
    }
}

static void read_servers(const struct config_key *key, struct yaml_node node, void *field,
                         const struct config_reader *reader)
{
    struct config_upstream *upstream = field;
    upstream->servers =
        config_table_list(key, node, sizeof *upstream->servers, &upstream->server_count, reader);
    for (size_t i = 0; i < upstream->server_count; i++) {
        read_server(yaml_node_item(node, i), &upstream->servers[i], reader);
    }
}

/* A server that resolves names, which may be an address alone. */
static void read_bootstrap_server(struct yaml_node node, struct config_server *server,
                                  const struct config_reader *reader)
{
    if (yaml_node_kind(node) == YAML_TEXT_MAPPING) {
        config_table_read(&bootstrap_table, node, server, reader);
    } else if (config_table_parse(&bootstrap_keys[0], node, server, reader)) {
        server->port = 53;
    }
}

static void read_bootstrap(const struct config_key *key, struct yaml_node node, void *field,
                           const struct config_reader *reader)
{
    struct config_upstream *upstream = field;
    if (!yaml_node_present(node)) {
        return;
    }
    upstream->bootstrap = config_table_list(key, node, sizeof *upstream->bootstrap,
                                            &upstream->bootstrap_count, reader);
    for (size_t i = 0; i < upstream->bootstrap_count; i++) {
        read_bootstrap_server(yaml_node_item(node, i), &upstream->bootstrap[i], reader);
    }
}

static bool parse_name(const struct config_key *key, const struct config_value *value, void *field,
                       char why[static WHY_MAX])
{
    (void)key;
    struct dname name;
    char reason[WHY_MAX], text[DNAME_TEXT_MAX];
    if (!dname_parse(value->text, value->len, &name, reason)) {
        snprintf(why, WHY_MAX, "needs a domain name, not %s", value->shown);
        return false;
    }
    char *copy = strdup(dname_format(&name, text));
    if (copy == NULL) {
        snprintf(why, WHY_MAX, "found no memory");
        return false;
    }
    memcpy(field, &copy, sizeof copy);
    return true;
}

static bool parse_type(const struct config_key *key, const struct config_value *value, void *field,
                       char why[static WHY_MAX])
{
    uint16_t type;
    if (knot_rrtype_from_string(value->text, &type) != 0 || type == 0 ||
        knot_rrtype_is_metatype(type)) {
        snprintf(why, WHY_MAX, "needs the name of a record type, not %s", value->shown);
        return false;
    }
    config_scalar_store(field, key->size, type);
    return true;
}

#define CHECK(key, how, member, ...) \
    CONFIG_AMOUNT(key, how, struct config_health_check, member, __VA_ARGS__)
static const struct config_key health_check_keys[] = {
    CHECK("name", parse_name, name, ".", 0, 0),
    CHECK("type", parse_type, type, "NS", 0, 0),
    CHECK("interval", config_scalar_milliseconds, interval_ms, "5s", 100, 3600000),
    CHECK("down-after", config_scalar_number, down_after, "3", 1, 100),
    CHECK("up-after", config_scalar_number, up_after, "2", 1, 100),
};
static const struct config_table health_check_table =
    CONFIG_TABLE("upstream.health-check", health_check_keys);

/* `no`, or a mapping. */
static void read_health_check(const struct config_key *key, struct yaml_node node, void *field,
                              const struct config_reader *reader)
{
    struct config_health_check *check = &((struct config_upstream *)field)->health_check;
    bool scalar = yaml_node_present(node) && yaml_node_kind(node) == YAML_TEXT_SCALAR;
    check->enabled = !scalar;
    if (!scalar) {
        config_table_read(key->table, node, check, reader);
    } else if (strcmp(yaml_node_scalar(node, NULL), "no") != 0) {
        char shown[YAML_QUOTE_MAX];
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "%s needs no or a mapping, not %s",
                          key->name, yaml_node_quote(node, shown));
    }
}

#define UPSTREAM struct config_upstream
static const struct config_key upstream_keys[] = {
    CONFIG_LIST("servers", read_servers, true, SERVERS_MAX),
    CONFIG_LIST("bootstrap", read_bootstrap, false, SERVERS_MAX),
    {.name = "tls-ca", .parse = config_scalar_path, CONFIG_FIELD(UPSTREAM, tls_ca)},
    CONFIG_WORD("balance", balances, UPSTREAM, balance, "least-outstanding"),
    CONFIG_AMOUNT("retry-after", config_scalar_milliseconds, UPSTREAM, retry_after_ms, "1s", 10,
                  60000),
    CONFIG_AMOUNT("timeout", config_scalar_milliseconds, UPSTREAM, timeout_ms, "8s", 10, 300000),
    CONFIG_SECTION("health-check", read_health_check, false, &health_check_table),
    CONFIG_WORD("send-client", send_client_choices, UPSTREAM, send_client, "no"),
    CONFIG_AMOUNT("ecs-ipv4", config_scalar_number, UPSTREAM, ecs_ipv4, "24", 1, 32),
    CONFIG_AMOUNT("ecs-ipv6", config_scalar_number, UPSTREAM, ecs_ipv6, "56", 1, 128),
};
const struct config_table config_upstream_table = CONFIG_TABLE("upstream", upstream_keys);

static void free_servers(struct config_server *servers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(servers[i].host);
        free(servers[i].tls_name);
    }
    free(servers);
}

void config_upstream_fini(struct config_upstream *upstream)
{
    free_servers(upstream->servers, upstream->server_count);
    free_servers(upstream->bootstrap, upstream->bootstrap_count);
    free(upstream->health_check.name);
    free(upstream->tls_ca);
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_servers(const struct config_server *a, const struct config_server *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(a[i].host, b[i].host) != 0 || a[i].port != b[i].port || a[i].tls != b[i].tls ||
            !same_text(a[i].tls_name, b[i].tls_name)) {
            return false;
        }
    }
    return true;
}

static bool same_health_check(const struct config_health_check *a,
                              const struct config_health_check *b)
{
    if (!a->enabled || !b->enabled) {
        return a->enabled == b->enabled;
    }
    return strcmp(a->name, b->name) == 0 && a->type == b->type &&
           a->interval_ms == b->interval_ms && a->down_after == b->down_after &&
           a->up_after == b->up_after;
}

bool config_upstream_equal(const struct config_upstream *a, const struct config_upstream *b)
{
    return a->server_count == b->server_count && a->bootstrap_count == b->bootstrap_count &&
           same_servers(a->servers, b->servers, a->server_count) &&
           same_servers(a->bootstrap, b->bootstrap, a->bootstrap_count) &&
           a->balance == b->balance && a->retry_after_ms == b->retry_after_ms &&
           a->timeout_ms == b->timeout_ms && a->send_client == b->send_client &&
           a->ecs_ipv4 == b->ecs_ipv4 && a->ecs_ipv6 == b->ecs_ipv6 &&
           same_text(a->tls_ca, b->tls_ca) && same_health_check(&a->health_check, &b->health_check);
}
