/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The walk over the tables of forwarder.conf. Invariant: a field is filled by its row's reader or
 * stays zero with an error in the problems; nothing of the file is passed over in silence.
 */
#include "forwarder/config/config_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct config_key *find_key(const struct config_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->keys[i].name, name) == 0) {
            return &table->keys[i];
        }
    }
    return NULL;
}

/* "listen, workers, … or log" */
static void list_keys(const struct config_table *table, char *out, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < table->count && used < size; i++) {
        const char *before = i == 0 ? "" : i + 1 == table->count ? " or " : ", ";
        int put = snprintf(out + used, size - used, "%s%s", before, table->keys[i].name);
        used += put > 0 ? (size_t)put : 0;
    }
}

static void refuse_unknown_keys(const struct config_table *table, struct yaml_node mapping,
                                const struct config_reader *reader)
{
    for (size_t i = 0; i < yaml_node_count(mapping); i++) {
        struct yaml_node key = yaml_node_key(mapping, i);
        if (find_key(table, yaml_node_scalar(key, NULL)) == NULL) {
            char shown[YAML_QUOTE_MAX], known[WHY_MAX];
            list_keys(table, known, sizeof known);
            yaml_node_problem(key, PROBLEM_ERROR, reader->problems, "%s has no key %s; expected %s",
                              table->name, yaml_node_quote(key, shown), known);
        }
    }
}

bool config_table_parse(const struct config_key *key, struct yaml_node node, void *field,
                        const struct config_reader *reader)
{
    char shown[YAML_QUOTE_MAX], why[WHY_MAX];
    yaml_node_quote(node, shown);
    if (yaml_node_kind(node) != YAML_TEXT_SCALAR) {
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "%s needs a single value, not %s",
                          key->name, shown);
        return false;
    }
    struct config_value value = {.shown = shown, .folder = reader->folder};
    value.text = yaml_node_scalar(node, &value.len);
    if (value.len == 0) {
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems,
                          "%s needs a value; leave the key out for its default", key->name);
        return false;
    }
    if (!key->parse(key, &value, field, why)) {
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "%s %s", key->name, why);
        return false;
    }
    return true;
}

/* Fills the field of a key that is not there, or has no value that can be used. */
static void take_default(const struct config_key *key, void *field,
                         const struct config_reader *reader)
{
    char why[WHY_MAX];
    struct config_value value = {.text = key->fallback,
                                 .len = strlen(key->fallback),
                                 .shown = key->fallback,
                                 .folder = reader->folder};
    /* Defaults are within their ranges: only memory can be missing. */
    if (!key->parse(key, &value, field, why)) {
        problem_list_add(reader->problems, PROBLEM_ERROR, reader->path, 0, 0,
                         "the default of %s %s", key->name, why);
    }
}

static void read_row(const struct config_table *table, const struct config_key *key,
                     struct yaml_node mapping, void *base, const struct config_reader *reader)
{
    void *field = (char *)base + key->offset;
    struct yaml_node value = yaml_node_find(mapping, key->name);
    if (!yaml_node_present(value) && key->required) {
        yaml_node_problem(mapping, PROBLEM_ERROR, reader->problems, "%s needs the key %s",
                          table->name, key->name);
    } else if (key->read != NULL) {
        key->read(key, value, field, reader);
    } else if ((!yaml_node_present(value) || !config_table_parse(key, value, field, reader)) &&
               key->fallback != NULL) { /* for a value that is wrong, too: see config_read_draft */
        take_default(key, field, reader);
    }
}

void config_table_read(const struct config_table *table, struct yaml_node node, void *base,
                       const struct config_reader *reader)
{
    if (yaml_node_present(node) && yaml_node_kind(node) != YAML_TEXT_MAPPING) {
        char shown[YAML_QUOTE_MAX];
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "%s needs a mapping, not %s",
                          table->name, yaml_node_quote(node, shown));
        return;
    }
    refuse_unknown_keys(table, node, reader);
    for (size_t i = 0; i < table->count; i++) {
        read_row(table, &table->keys[i], node, base, reader);
    }
}

void config_table_read_section(const struct config_key *key, struct yaml_node node, void *field,
                               const struct config_reader *reader)
{
    config_table_read(key->table, node, field, reader);
}

void *config_table_list(const struct config_key *key, struct yaml_node node, size_t item_size,
                        size_t *count, const struct config_reader *reader)
{
    *count = 0;
    if (yaml_node_kind(node) != YAML_TEXT_SEQUENCE) {
        char shown[YAML_QUOTE_MAX];
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "%s needs a list, not %s",
                          key->name, yaml_node_quote(node, shown));
        return NULL;
    }
    size_t items = yaml_node_count(node);
    if (items == 0 || items > key->max) {
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "%s needs 1 to %ju items, not %zu",
                          key->name, (uintmax_t)key->max, items);
        return NULL;
    }
    void *list = calloc(items, item_size);
    if (list == NULL) {
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "no memory for %s", key->name);
        return NULL;
    }
    *count = items;
    return list;
}
