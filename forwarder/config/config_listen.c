/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of `listen`. Invariant: no two items share address, port and transport.
 */
#include "forwarder/config/config_listen.h"

#include <stdio.h>

#include "forwarder/config/config_address.h"
#include "forwarder/config/config_scalar.h"

#define NOT_SUPPORTED "is not supported by this build"

enum transport {
    TRANSPORT_UDP,
    TRANSPORT_TCP,
};

static const struct config_choice transports[] = {
    {"udp", TRANSPORT_UDP, NULL}, {"tcp", TRANSPORT_TCP, NULL}, {"tls", 0, NOT_SUPPORTED},
    {"https", 0, NOT_SUPPORTED},  {"quic", 0, NOT_SUPPORTED},   {NULL, 0, NULL},
};

static const struct config_choice proxy_choices[] = {
    {"no", 0, NULL},
    {"yes", 0, NOT_SUPPORTED},
    {NULL, 0, NULL},
};

static bool parse_address(const struct config_key *key, const struct config_value *value,
                          void *field, char why[static WHY_MAX])
{
    (void)key;
    struct config_listen *listen = field;
    struct address address;
    uint32_t zone;
    if (!config_address_parse(value, &address, &zone, why)) {
        return false;
    }
    config_address_fill(&address, zone, &listen->address);
    return true;
}

/* The address stands in an earlier row, so it has been read. */
static bool parse_port(const struct config_key *key, const struct config_value *value, void *field,
                       char why[static WHY_MAX])
{
    struct config_listen *listen = field;
    uint16_t port;
    struct config_key number = {.size = sizeof port, .min = key->min, .max = key->max};
    if (!config_scalar_number(&number, value, &port, why)) {
        return false;
    }
    config_address_set_port(&listen->address, port);
    return true;
}

static void read_transport(struct yaml_node node, struct config_listen *listen,
                           const struct config_reader *reader)
{
    static const struct config_key word = {.name = "transport",
                                           .parse = config_scalar_choice,
                                           .size = sizeof(enum transport),
                                           .choices = transports};
    enum transport transport;
    if (!config_table_parse(&word, node, &transport, reader)) {
        return;
    }
    bool *wanted = transport == TRANSPORT_UDP ? &listen->udp : &listen->tcp;
    if (*wanted) {
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "transport %s is given twice",
                          transports[transport].name);
    }
    *wanted = true;
}

/* One transport or a list of them. */
static void read_transports(const struct config_key *key, struct yaml_node node, void *field,
                            const struct config_reader *reader)
{
    struct config_listen *listen = field;
    if (!yaml_node_present(node)) {
        listen->udp = listen->tcp = true;
        return;
    }
    if (yaml_node_kind(node) != YAML_TEXT_SEQUENCE) {
        read_transport(node, listen, reader);
        return;
    }
    if (yaml_node_count(node) == 0) {
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "%s needs at least one item",
                          key->name);
    }
    for (size_t i = 0; i < yaml_node_count(node); i++) {
        read_transport(yaml_node_item(node, i), listen, reader);
    }
}

static const struct config_key item_keys[] = {
    {.name = "address", .parse = parse_address, .required = true},
    {.name = "port", .parse = parse_port, .fallback = "53", .min = 1, .max = UINT16_MAX},
    {.name = "transport", .read = read_transports},
    CONFIG_FIXED("proxy-protocol", proxy_choices),
    CONFIG_REFUSED("certificate"),
    CONFIG_REFUSED("key"),
};

static const struct config_table item_table = CONFIG_TABLE("listen", item_keys);

static bool clash(const struct config_listen *a, const struct config_listen *b)
{
    return a->address.size != 0 && config_address_equal(&a->address, &b->address) &&
           ((a->udp && b->udp) || (a->tcp && b->tcp));
}

static void refuse_clashes(const struct config *config, struct yaml_node list,
                           const struct config_reader *reader)
{
    for (size_t later = 1; later < config->listen_count; later++) {
        for (size_t i = 0; i < later; i++) {
            if (clash(&config->listen[i], &config->listen[later])) {
                yaml_node_problem(yaml_node_item(list, later), PROBLEM_ERROR, reader->problems,
                                  "item %zu has this address, port and transport already", i + 1);
                break;
            }
        }
    }
}

void config_listen_read(const struct config_key *key, struct yaml_node node, void *field,
                        const struct config_reader *reader)
{
    struct config *config = field;
    config->listen =
        config_table_list(key, node, sizeof *config->listen, &config->listen_count, reader);
    for (size_t i = 0; i < config->listen_count; i++) {
        config_table_read(&item_table, yaml_node_item(node, i), &config->listen[i], reader);
    }
    refuse_clashes(config, node, reader);
}
