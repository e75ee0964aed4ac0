/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of `metrics` (see config_metrics.h).
 */
#include "forwarder/config/config_metrics.h"

#include "forwarder/config/config_address.h"
#include "forwarder/config/config_scalar.h"

/* The section as it is written. */
struct section {
    struct config_address address;
    uint16_t port;
};

static bool parse_address(const struct config_key *key, const struct config_value *value,
                          void *field, char why[static WHY_MAX])
{
    (void)key;
    struct address address;
    uint32_t zone;
    if (!config_address_parse(value, &address, &zone, why)) {
        return false;
    }
    config_address_fill(&address, zone, field);
    return true;
}

static const struct config_key keys[] = {
    CONFIG_AMOUNT("address", parse_address, struct section, address, "127.0.0.1", 0, 0),
    CONFIG_AMOUNT("port", config_scalar_number, struct section, port, "9732", 1, UINT16_MAX),
};
static const struct config_table table = CONFIG_TABLE("metrics", keys);

void config_metrics_read(const struct config_key *key, struct yaml_node node, void *field,
                         const struct config_reader *reader)
{
    struct config_metrics *metrics = &((struct config *)field)->metrics;
    struct section section = {0};
    (void)key;
    if (!yaml_node_present(node)) {
        return;
    }
    config_table_read(&table, node, &section, reader);
    metrics->enabled = true;
    metrics->address = section.address;
    config_address_set_port(&metrics->address, section.port);
}

bool config_metrics_equal(const struct config_metrics *a, const struct config_metrics *b)
{
    return a->enabled == b->enabled &&
           (!a->enabled || config_address_equal(&a->address, &b->address));
}
