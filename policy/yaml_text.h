/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * YAML as Bailiwick accepts it, for forwarder.conf and orders: one document, mappings, sequences
 * and scalars of UTF-8 text. Tags, anchors, aliases, merge keys, a key given twice, a second
 * document, NUL octets and nesting deeper than YAML_TEXT_DEPTH are errors with their place. Two
 * passes over libyaml: events for safety, then the document for reading. Scalars are text: `NO` is
 * Norway.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "geo/problem.h"

#define YAML_TEXT_DEPTH 32
#define YAML_TEXT_BYTES_MAX (4U * 1024U * 1024U)

struct yaml_text;

/* A node of a document, borrowed from it; a value type. */
struct yaml_node {
    const struct yaml_text *text; /* NULL: absent */
    int id;
};

enum yaml_kind {
    YAML_TEXT_SCALAR,
    YAML_TEXT_SEQUENCE,
    YAML_TEXT_MAPPING,
};

/* NULL with at least one error in problems. An empty document is an error. name is what problems
 * call the file. bytes must outlive the call only. */
struct yaml_text *yaml_text_parse(const char *name, const char *bytes, size_t size,
                                  struct problem_list *problems);
void yaml_text_free(struct yaml_text *text); /* NULL is allowed */

struct yaml_node yaml_text_root(const struct yaml_text *text);
bool yaml_node_present(struct yaml_node node);
enum yaml_kind yaml_node_kind(struct yaml_node node);

/* The octets of a scalar (NUL-terminated, no NUL inside), "" for an empty one and for what is no
 * scalar. len may be NULL. */
const char *yaml_node_scalar(struct yaml_node node, size_t *len);

/* How a problem shows what was found: the scalar in quotes, cut to a sensible length between two
 * characters, control characters as "?"; "a list" or "a mapping" for the rest. Returns out. */
#define YAML_QUOTE_MAX 80
char *yaml_node_quote(struct yaml_node node, char out[static YAML_QUOTE_MAX]);

/* Items of a sequence or pairs of a mapping; 0 for a scalar or an absent node. */
size_t yaml_node_count(struct yaml_node node);
struct yaml_node yaml_node_item(struct yaml_node sequence, size_t index);
struct yaml_node yaml_node_key(struct yaml_node mapping, size_t index);
struct yaml_node yaml_node_value(struct yaml_node mapping, size_t index);

/* The value of a key, or an absent node (also when this is no mapping). */
struct yaml_node yaml_node_find(struct yaml_node mapping, const char *key);

/* Where the node begins: line and column from 1. */
void yaml_node_place(struct yaml_node node, unsigned *line, unsigned *column);

/* Where a node stands in the text, for who edits it in place: in characters from 0 (code points, a
 * byte order mark not counted), as libyaml has it. The end of a collection in block style lies
 * behind the comments and blank lines that follow it. */
struct yaml_extent {
    size_t start;
    size_t end;
    size_t column; /* of the start, from 0; of a sequence in block style: of its dashes */
    bool flow;     /* a collection in flow style */
};
struct yaml_extent yaml_node_extent(struct yaml_node node);

/* Appends an error or a warning at the node's place (file:line:column). */
void yaml_node_problem(struct yaml_node node, enum problem_level level,
                       struct problem_list *problems, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
