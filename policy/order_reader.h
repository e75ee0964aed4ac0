/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One order file being read, and the shapes of value that its keys share. Internal to the reading
 * of orders: order_file.c (which keys there are), order_fields.c (whom the order binds, when, and
 * what is answered) and order_names.c (which names).
 */
#pragma once

#include "policy/order_file.h"
#include "policy/yaml_text.h"

struct instant_zone;

struct order_reader {
    const struct order_file_env *env;
    struct problem_list *problems;
    struct yaml_node root;
    struct order *order;
    struct instant_zone *zone; /* of the key timezone; NULL if it is absent or was refused */
    struct dname *wide;        /* of the key allow-wide */
    size_t wide_count;
    size_t name_capacity; /* of order->names */
    bool action_refused;
};

/* A key of an order. Its function puts the value into the order, or says why not in problems. */
struct order_key;
typedef void order_key_fn(struct order_reader *reader, const struct order_key *key,
                          struct yaml_node value);
struct order_key {
    const char *name;
    order_key_fn *read;
    bool required;
    bool first;         /* others need it: read before them */
    size_t text_offset; /* of the char * in struct order, for keys that are one text */
    size_t text_max;    /* octets of it */
};

/* The value of a key of the order, or an absent node. */
struct yaml_node order_reader_find(const struct order_reader *reader, const char *key);

/* Is the node of this kind? If not, that is a problem. */
bool order_reader_expect(struct order_reader *reader, struct yaml_node node, enum yaml_kind kind);

/* One line of text, not empty, of at most max octets, without control characters; the line ends
 * that a block scalar has behind it do not count. NULL after a problem. */
const char *order_reader_line(struct order_reader *reader, struct yaml_node node, size_t max,
                              size_t *len);

/* The same as the caller's own copy. */
char *order_reader_copy(struct order_reader *reader, struct yaml_node node, size_t max);

/* Reads yes or no (or true, false). False after a problem. */
bool order_reader_bool(struct order_reader *reader, struct yaml_node node, bool *out);

void order_reader_out_of_memory(struct order_reader *reader, struct yaml_node node);
