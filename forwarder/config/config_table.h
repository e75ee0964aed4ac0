/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How forwarder.conf is read: tables with one row a key, and the walk over them. A row names the
 * key, says how its value is read and where it goes, and gives the default as a person would write
 * it, so a default passes through the same reader and the same range as anything else.
 * Knows YAML and rows; what the keys mean stands in the tables (config.c, config_listen.c,
 * config_upstream.c).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "geo/problem.h"
#include "policy/yaml_text.h"

struct config_key;
struct config_table;

struct config_reader {
    const char *path;   /* of the file, for problems without a line */
    const char *folder; /* where relative paths start; absolute */
    struct problem_list *problems;
};

/* A scalar, or the default of a key that is not there. */
struct config_value {
    const char *text; /* NUL-terminated, no NUL inside */
    size_t len;
    const char *shown;  /* for messages: in quotes, cut to a sensible length */
    const char *folder; /* where relative paths start */
};

/* Reads a scalar into the row's field. False with a sentence. */
typedef bool config_parse_fn(const struct config_key *key, const struct config_value *value,
                             void *field, char why[static WHY_MAX]);

/* Reads any other value into the row's field; an absent node means that the key is not there.
 * Whatever is wrong goes to reader->problems. */
typedef void config_read_fn(const struct config_key *key, struct yaml_node node, void *field,
                            const struct config_reader *reader);

/* One of the words that a key may hold. */
struct config_choice {
    const char *name; /* NULL ends a table of them */
    unsigned value;
    const char *refused; /* why this word, though a known one, cannot be used here; or NULL */
};

struct config_key {
    const char *name;
    config_parse_fn *parse; /* one of these two */
    config_read_fn *read;
    size_t offset; /* of the field in the struct that the table fills; with size 0: no field */
    size_t size;
    const char *fallback; /* with parse: taken when the key is not there; NULL: field stays zero */
    bool required;
    uint64_t min; /* of numbers, in the field's unit; max also of the length of texts and lists */
    uint64_t max;
    const struct config_choice *choices;
    const struct config_table *table; /* of a mapping */
};

/* The place of a member in the struct that a table fills. */
#define CONFIG_FIELD(type, member) \
    .offset = offsetof(type, member), .size = sizeof(((type *)NULL)->member)

/* Rows, by what the key holds; type is the struct that the table fills. */
#define CONFIG_AMOUNT(key, how, type, member, standard, least, most)                               \
    {                                                                                              \
        .name = key, .parse = how, CONFIG_FIELD(type, member), .fallback = standard, .min = least, \
        .max = most                                                                                \
    }
#define CONFIG_WORD(key, words, type, member, standard)                         \
    {                                                                           \
        .name = key, .parse = config_scalar_choice, CONFIG_FIELD(type, member), \
        .fallback = standard, .choices = words                                  \
    }
#define CONFIG_LIST(key, how, must, most)                       \
    {                                                           \
        .name = key, .read = how, .required = must, .max = most \
    }
#define CONFIG_SECTION(key, how, must, rows)                      \
    {                                                             \
        .name = key, .read = how, .required = must, .table = rows \
    }

struct config_table {
    const char *name; /* what messages call the mapping */
    const struct config_key *keys;
    size_t count;
};

#define CONFIG_TABLE(called, rows)                                              \
    {                                                                           \
        .name = called, .keys = rows, .count = sizeof(rows) / sizeof((rows)[0]) \
    }

/* Reads a mapping into base, row by row in the table's order: unknown and missing keys, and all
 * that their readers refuse, are problems. An absent node takes every default. */
void config_table_read(const struct config_table *table, struct yaml_node node, void *base,
                       const struct config_reader *reader);

/* A config_read_fn for a mapping inside a mapping that fills the same struct: key->table. */
void config_table_read_section(const struct config_key *key, struct yaml_node node, void *field,
                               const struct config_reader *reader);

/* Reads one scalar by the row's parse; an error has the node's place. False if there was one. */
bool config_table_parse(const struct config_key *key, struct yaml_node node, void *field,
                        const struct config_reader *reader);

/* Zeroed room for the items of a list: item_size octets each, *count of them; the caller frees it.
 * NULL with an error said if node is no list, is empty or holds more than key->max. */
void *config_table_list(const struct config_key *key, struct yaml_node node, size_t item_size,
                        size_t *count, const struct config_reader *reader);
