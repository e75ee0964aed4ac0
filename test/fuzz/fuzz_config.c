/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * forwarder.conf from any bytes: either a configuration that holds what its readers promise, or at
 * least one error with a text; never both.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "forwarder/config/config.h"

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_config(const struct config *config)
{
    require(config->listen_count > 0 && config->upstream.server_count > 0);
    for (size_t i = 0; i < config->listen_count; i++) {
        require(config->listen[i].address.size > 0);
        require((config->listen[i].certificate == NULL) == (config->listen[i].key == NULL));
    }
    for (size_t i = 0; i < config->upstream.server_count; i++) {
        require(config->upstream.servers[i].host != NULL && config->upstream.servers[i].port > 0);
    }
    for (size_t i = 0; i < config->upstream.bootstrap_count; i++) {
        require(config->upstream.bootstrap[i].is_address);
    }
    require(config->upstream.timeout_ms > 0 && config->upstream.retry_after_ms > 0);
    require(config->upstream.health_check.enabled == (config->upstream.health_check.name != NULL));
    require(config->workers <= 1024 && config->block.action != ORDER_SHADOW);
    require(config->geo_database[0] == '/' && config->orders[0] == '/');
    require(config->state[0] == '/' && config->control[0] == '/');
    size_t next = 0;
    struct config_place place;
    require(config_fixed_difference(config, config, &next, &place) == NULL);
}

/* What judges orders by a draft relies on that. */
static void check_draft(const struct config *config)
{
    require(config->orders == NULL || (config->orders[0] == '/' && config->state[0] == '/'));
    require(config->geo_database == NULL || config->geo_database[0] == '/');
    require(config->block.action <= ORDER_DROP && config->block.action != ORDER_SHADOW);
    for (size_t i = 0; i < config->block.contact_count; i++) {
        require(config->block.contacts[i][0] != '\0');
    }
    for (size_t i = 0; i < config->listen_count; i++) {
        require((config->listen[i].certificate == NULL) == (config->listen[i].key == NULL));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct config *config =
        config_parse("/etc/forwarder.conf", (const char *)data, size, &problems);
    require((config == NULL) == (problems.errors > 0));
    for (size_t i = 0; i < problems.count; i++) {
        require(problems.items[i].text[0] != '\0' &&
                (problems.items[i].line > 0 || problems.items[i].column == 0));
    }
    if (config != NULL) {
        check_config(config);
    }
    config_free(config);
    size_t errors = problems.errors;
    config = config_parse_draft("/etc/forwarder.conf", (const char *)data, size, &problems);
    require(config != NULL && problems.errors == 2 * errors);
    check_draft(config);
    config_free(config);
    problem_list_fini(&problems);
    return 0;
}
