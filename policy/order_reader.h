/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One order file being read, and the shapes of value that its keys share. Internal to the reading
 * of orders: order_file.c says which keys there are, and which file reads each.
 */
#pragma once

#include "policy/guard.h"
#include "policy/order_file.h"
#include "policy/yaml_text.h"

struct instant_zone;

struct order_reader {
    const struct order_file_env *env;
    struct problem_list *problems;
    size_t errors_before; /* in problems, when the reading began */
    struct yaml_node root;
    struct order *order;
    struct instant_zone *zone;     /* of the key timezone; NULL if it is absent or was refused */
    struct guard_wide wide;        /* of the key allow-wide */
    struct yaml_node *name_places; /* of order->names; absent for what no line names */
    size_t name_capacity;          /* of order->names and name_places */
    size_t term_capacity;          /* of order->terms */
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
    unsigned turn;      /* keys that others need are read before them: those of the highest first */
    size_t text_offset; /* of the char * in struct order, for keys that are one text */
    size_t text_max;    /* octets of it */
};

/* Reads each item of a sequence into an array on the heap, which the caller frees: read puts one
 * into out, of this size, or says why not. Sets how many were read. NULL when the value is no
 * sequence or memory is out, which is a problem. */
typedef bool order_item_fn(struct order_reader *reader, struct yaml_node item, void *out);
void *order_reader_items(struct order_reader *reader, struct yaml_node value, size_t size,
                         order_item_fn *read, size_t *count);

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

/* Says that a date or a time (RFC 3339) was expected. */
void order_reader_refuse_time(struct order_reader *reader, struct yaml_node node);

/* Reads one name. False after a problem. */
bool order_reader_name(struct order_reader *reader, struct yaml_node node, struct dname *out);

/* Reads one network or address. False after a problem. */
bool order_reader_network(struct order_reader *reader, struct yaml_node node, struct network *out);

/* A mapping within an order: an item of names, a list, a window. Its functions put a value into
 * out, or say why not in problems. */
typedef void order_part_fn(struct order_reader *reader, struct yaml_node value, void *out);
struct order_part_key {
    const char *name;
    order_part_fn *read;
    bool required;
};
struct order_part {
    const char *noun; /* what problems call it */
    const char *noun_with_article;
    const char *expected; /* its keys, as a problem lists them */
    const struct order_part_key *keys;
    size_t count;
};

/* Reads a mapping by its table: every key, whatever is wrong with the others. False after a
 * problem. */
bool order_reader_part(struct order_reader *reader, struct yaml_node node,
                       const struct order_part *part, void *out);

void order_reader_out_of_memory(struct order_reader *reader, struct yaml_node node);
