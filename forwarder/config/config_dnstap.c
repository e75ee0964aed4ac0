/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The table of `dnstap` (see config_dnstap.h).
 */
#include "forwarder/config/config_dnstap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "forwarder/config/config.h"
#include "forwarder/config/config_scalar.h"

static const struct config_choice queries[] = {
    {"blocked", CONFIG_DNSTAP_BLOCKED, NULL},
    {"all", CONFIG_DNSTAP_ALL, NULL},
    {NULL, 0, NULL},
};

#define ROW(key, how, member, most) \
    CONFIG_AMOUNT(key, config_scalar_##how, struct config_dnstap, member, NULL, 0, most)

static const struct config_key keys[] = {
    ROW("socket", path, socket, sizeof((struct sockaddr_un *)NULL)->sun_path - 1),
    ROW("file", path, file, 0),
    CONFIG_WORD("queries", queries, struct config_dnstap, queries, "blocked"),
    ROW("identity", text, identity, CONFIG_IDENTITY_MAX),
};
const struct config_table config_dnstap_table = CONFIG_TABLE("dnstap", keys);

void config_dnstap_read(const struct config_key *key, struct yaml_node node, void *field,
                        const struct config_reader *reader)
{
    struct config_dnstap *dnstap = &((struct config *)field)->dnstap;
    config_table_read(key->table, node, dnstap, reader);
    if (yaml_node_present(node) && yaml_node_kind(node) == YAML_TEXT_MAPPING &&
        yaml_node_present(yaml_node_find(node, "socket")) ==
            yaml_node_present(yaml_node_find(node, "file"))) {
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems,
                          "dnstap needs one of the keys socket and file");
    }
}

void config_dnstap_fini(struct config_dnstap *dnstap)
{
    free(dnstap->socket);
    free(dnstap->file);
    free(dnstap->identity);
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool config_dnstap_equal(const struct config_dnstap *a, const struct config_dnstap *b)
{
    return same_text(a->socket, b->socket) && same_text(a->file, b->file) &&
           same_text(a->identity, b->identity) && a->queries == b->queries;
}
