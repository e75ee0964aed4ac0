/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of `listen`: an item is read as it is written, and then becomes one socket for each of its
 * transports. Invariant: no two sockets share address, port and kind of socket; all that TLS needs
 * is there, and nothing that the transport has no use for.
 */
#include "forwarder/config/config_listen.h"

#include <stdlib.h>
#include <string.h>

#include "forwarder/config/config_address.h"
#include "forwarder/config/config_scalar.h"

static const struct {
    const char *name;
    uint16_t port;
    bool datagrams;
    bool encrypted;
} kinds[] = {
    [CONFIG_UDP] = {"udp", 53, true, false},   [CONFIG_TCP] = {"tcp", 53, false, false},
    [CONFIG_TLS] = {"tls", 853, false, true},  [CONFIG_HTTPS] = {"https", 443, false, true},
    [CONFIG_QUIC] = {"quic", 853, true, true},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

static const struct config_choice transports[] = {
    {"udp", CONFIG_UDP, NULL},     {"tcp", CONFIG_TCP, NULL},   {"tls", CONFIG_TLS, NULL},
    {"https", CONFIG_HTTPS, NULL}, {"quic", CONFIG_QUIC, NULL}, {NULL, 0, NULL},
};

static const struct config_choice proxy_choices[] = {
    {"no", CONFIG_PROXY_NO, NULL},
    {"yes", CONFIG_PROXY_FIRST, NULL},
    {"inside-tls", CONFIG_PROXY_INSIDE, NULL},
    {NULL, 0, NULL},
};

static const struct config_choice tls_choices[] = {
    {"yes", false, NULL},
    {"no", true, NULL},
    {NULL, 0, NULL},
};

static const struct config_choice freebind_choices[] = {
    {"no", false, NULL},
    {"yes", true, NULL},
    {NULL, 0, NULL},
};

/* An item as it is written. */
struct item {
    struct config_address address;
    unsigned transports; /* a bit for each */
    uint16_t port;       /* 0: that of each transport */
    enum config_proxy proxy;
    bool cleartext;
    bool freebind;
    char *certificate;
    char *key;
    struct config_place place;
};

static bool parse_address(const struct config_key *key, const struct config_value *value,
                          void *field, char why[static WHY_MAX])
{
    (void)key;
    struct item *item = field;
    struct address address;
    uint32_t zone;
    if (!config_address_parse(value, &address, &zone, why)) {
        return false;
    }
    config_address_fill(&address, zone, &item->address);
    return true;
}

static void read_transport(struct yaml_node node, struct item *item,
                           const struct config_reader *reader)
{
    static const struct config_key word = {.name = "transport",
                                           .parse = config_scalar_choice,
                                           .size = sizeof(enum config_transport),
                                           .choices = transports};
    enum config_transport transport;
    if (!config_table_parse(&word, node, &transport, reader)) {
        return;
    }
    if ((item->transports & 1U << transport) != 0) {
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "transport %s is given twice",
                          kinds[transport].name);
    }
    item->transports |= 1U << transport;
}

/* One transport or a list of them. */
static void read_transports(const struct config_key *key, struct yaml_node node, void *field,
                            const struct config_reader *reader)
{
    struct item *item = field;
    if (!yaml_node_present(node)) {
        item->transports = 1U << CONFIG_UDP | 1U << CONFIG_TCP;
        return;
    }
    if (yaml_node_kind(node) != YAML_TEXT_SEQUENCE) {
        read_transport(node, item, reader);
        return;
    }
    if (yaml_node_count(node) == 0) {
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "%s needs at least one item",
                          key->name);
    }
    for (size_t i = 0; i < yaml_node_count(node); i++) {
        read_transport(yaml_node_item(node, i), item, reader);
    }
}

#define ITEM_PATH(key, member)                                                      \
    {                                                                               \
        .name = key, .parse = config_scalar_path, CONFIG_FIELD(struct item, member) \
    }

static const struct config_key item_keys[] = {
    {.name = "address", .parse = parse_address, .required = true},
    CONFIG_AMOUNT("port", config_scalar_number, struct item, port, NULL, 1, UINT16_MAX),
    {.name = "transport", .read = read_transports},
    CONFIG_WORD("proxy-protocol", proxy_choices, struct item, proxy, "no"),
    CONFIG_WORD("tls", tls_choices, struct item, cleartext, "yes"),
    CONFIG_WORD("freebind", freebind_choices, struct item, freebind, "no"),
    ITEM_PATH("certificate", certificate),
    ITEM_PATH("key", key),
};

static const struct config_table item_table = CONFIG_TABLE("listen", item_keys);

static bool is_encrypted(const struct item *item, size_t kind)
{
    return kinds[kind].encrypted && !item->cleartext;
}

/* What an item lacks for its transports, or has without using it; NULL: nothing. */
static const char *misfit(const struct item *item)
{
    unsigned encrypted = 0;
    for (size_t kind = 0; kind < KINDS; kind++) {
        encrypted |= is_encrypted(item, kind) ? 1U << kind : 0;
    }
    if (item->cleartext && item->transports != 1U << CONFIG_HTTPS) {
        return "tls: no needs transport https alone";
    }
    if ((item->transports & encrypted) != 0 && (item->certificate == NULL || item->key == NULL)) {
        return "transports tls, https and quic need certificate and key";
    }
    if ((item->transports & encrypted) == 0 && (item->certificate != NULL || item->key != NULL)) {
        return "certificate and key need transport tls, https or quic";
    }
    if (item->proxy != CONFIG_PROXY_NO && (item->transports & 1U << CONFIG_QUIC) != 0) {
        return "proxy-protocol is not defined for transport quic";
    }
    if (item->proxy == CONFIG_PROXY_INSIDE && (item->transports & ~encrypted) != 0) {
        return "proxy-protocol: inside-tls needs transports tls and https alone";
    }
    return NULL;
}

static bool keep_path(const char *path, char **out)
{
    *out = path == NULL ? NULL : strdup(path);
    return path == NULL || *out != NULL;
}

/* Appends one socket of an item. */
static bool add_socket(struct config *config, const struct item *item, size_t kind, size_t index)
{
    struct config_listen *listen = &config->listen[config->listen_count++];
    bool encrypted = is_encrypted(item, kind);
    *listen = (struct config_listen){.address = item->address,
                                     .transport = (enum config_transport)kind,
                                     .proxy = item->proxy,
                                     .cleartext = item->cleartext,
                                     .freebind = item->freebind,
                                     .item = index,
                                     .place = item->place};
    config_address_set_port(&listen->address, item->port != 0 ? item->port : kinds[kind].port);
    return keep_path(encrypted ? item->certificate : NULL, &listen->certificate) &&
           keep_path(encrypted ? item->key : NULL, &listen->key);
}

static void add_sockets(struct config *config, const struct item *item, size_t index,
                        struct yaml_node node, const struct config_reader *reader)
{
    const char *wrong = misfit(item);
    if (wrong != NULL) {
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "%s", wrong);
        return;
    }
    for (size_t kind = 0; kind < KINDS; kind++) {
        if ((item->transports & 1U << kind) != 0 && !add_socket(config, item, kind, index)) {
            yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "no memory for listen");
        }
    }
}

static bool clash(const struct config_listen *a, const struct config_listen *b)
{
    return a->address.size != 0 && config_address_equal(&a->address, &b->address) &&
           config_listen_is_datagrams(a) == config_listen_is_datagrams(b);
}

/* Two transports of one item may clash too: tls and https at one port. */
static void refuse_clashes(const struct config *config, struct yaml_node list,
                           const struct config_reader *reader)
{
    size_t told = SIZE_MAX;
    for (size_t later = 1; later < config->listen_count; later++) {
        const struct config_listen *listen = &config->listen[later];
        for (size_t i = 0; i < later && told != listen->item; i++) {
            if (clash(&config->listen[i], listen)) {
                yaml_node_problem(yaml_node_item(list, listen->item), PROBLEM_ERROR,
                                  reader->problems,
                                  "item %zu has this address, port and transport already",
                                  config->listen[i].item + 1);
                told = listen->item;
            }
        }
    }
}

void config_listen_read(const struct config_key *key, struct yaml_node node, void *field,
                        const struct config_reader *reader)
{
    struct config *config = field;
    size_t count;
    struct item *items = config_table_list(key, node, sizeof *items, &count, reader);
    config->listen = calloc(count * KINDS + 1, sizeof *config->listen);
    if (config->listen == NULL) {
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "no memory for listen");
    }
    for (size_t i = 0; i < count && config->listen != NULL; i++) {
        size_t errors = reader->problems->errors;
        struct config_place *place = &items[i].place;
        config_table_read(&item_table, yaml_node_item(node, i), &items[i], reader);
        yaml_node_place(yaml_node_item(node, i), &place->line, &place->column);
        if (reader->problems->errors == errors) {
            add_sockets(config, &items[i], i, yaml_node_item(node, i), reader);
        }
        free(items[i].certificate);
        free(items[i].key);
    }
    free(items);
    if (config->listen != NULL) {
        refuse_clashes(config, node, reader);
    }
}

void config_listen_check_trust(const struct config *config, struct yaml_node root,
                               const struct config_reader *reader)
{
    struct yaml_node list = yaml_node_find(root, "listen");
    size_t told = SIZE_MAX;
    for (size_t i = 0; i < config->listen_count && config->trust.proxy_protocol == NULL; i++) {
        const struct config_listen *listen = &config->listen[i];
        if (listen->proxy != CONFIG_PROXY_NO && listen->item != told) {
            struct yaml_node item = yaml_node_item(list, listen->item);
            yaml_node_problem(yaml_node_find(item, "proxy-protocol"), PROBLEM_ERROR,
                              reader->problems,
                              "proxy-protocol needs peers in trust.proxy-protocol, and there are "
                              "none: nobody would be served");
            told = listen->item;
        }
    }
}

/* The item that listens where this server is to be asked; NULL: none. */
static const struct config_listen *find_own(const struct config *config,
                                            const struct config_server *server)
{
    struct config_address address;
    config_address_fill(&server->address, server->scope_id, &address);
    config_address_set_port(&address, server->port);
    for (size_t i = 0; i < config->listen_count; i++) {
        if (config_address_equal(&config->listen[i].address, &address)) {
            return &config->listen[i];
        }
    }
    return NULL;
}

void config_listen_check_loops(const struct config *config, struct yaml_node root,
                               const struct config_reader *reader)
{
    const struct config_upstream *upstream = &config->upstream;
    struct yaml_node list = yaml_node_find(yaml_node_find(root, "upstream"), "servers");
    for (size_t i = 0; i < upstream->server_count; i++) {
        const struct config_server *server = &upstream->servers[i];
        const struct config_listen *own = server->is_address ? find_own(config, server) : NULL;
        if (own != NULL) {
            yaml_node_problem(yaml_node_item(list, i), PROBLEM_ERROR, reader->problems,
                              "item %zu of listen has this address and port: expected another "
                              "server, as each query would come back without end",
                              own->item + 1);
        }
    }
}

void config_listen_free(struct config_listen *listen, size_t count)
{
    for (size_t i = 0; listen != NULL && i < count; i++) {
        free(listen[i].certificate);
        free(listen[i].key);
    }
    free(listen);
}

/* A path, or NULL. */
static bool copy_path(char **path)
{
    *path = *path == NULL ? NULL : strdup(*path);
    return *path != NULL;
}

struct config_listen *config_listen_copy(const struct config_listen *listen, size_t count)
{
    struct config_listen *copy = calloc(count + 1, sizeof *copy);
    bool whole = copy != NULL;
    for (size_t i = 0; whole && i < count; i++) {
        copy[i] = listen[i];
        if (listen[i].certificate != NULL) {
            bool certificate = copy_path(&copy[i].certificate);
            bool key = copy_path(&copy[i].key); /* both: what is not a copy must not be freed */
            whole = certificate && key;
        }
    }
    if (!whole) {
        config_listen_free(copy, count);
        copy = NULL;
    }
    return copy;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool config_listen_equal(const struct config_listen *a, const struct config_listen *b)
{
    return config_address_equal(&a->address, &b->address) && a->transport == b->transport &&
           a->proxy == b->proxy && a->cleartext == b->cleartext && a->freebind == b->freebind &&
           same_text(a->certificate, b->certificate) && same_text(a->key, b->key);
}

bool config_listen_is_datagrams(const struct config_listen *listen)
{
    return kinds[listen->transport].datagrams;
}

const char *config_listen_transport(const struct config_listen *listen)
{
    return config_transport_name(listen->transport);
}

const char *config_transport_name(enum config_transport transport)
{
    return kinds[transport].name;
}
