/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Changes to an order file: from its bytes to those of the next version, with the names, the status
 * and the entry of the history that were asked for, and every other octet kept. Opens and writes no
 * file. Whether the next version is a valid order is for policy/order_file.h to say.
 */
#pragma once

#include "geo/file_bytes.h"
#include "geo/problem.h"
#include "policy/order.h"
#include "policy/yaml_text.h"

/* An item of names, exact or except. */
struct order_edit_item {
    enum name_kind kind;
    struct dname name;
    const char *text;   /* the name as it is to be written */
    const char *ticket; /* these may be NULL */
    const char *effective;
    const char *until;
};

/* An entry of history. */
struct order_edit_entry {
    const char *at; /* RFC 3339 */
    const char *by;
    const char *what;
    const char *reason; /* NULL: none */
};

struct order_edit {
    const struct order_edit_item *add;
    size_t add_count;
    const struct order_edit_item *remove; /* by kind and name; not together with add */
    size_t remove_count;
    const char *status; /* NULL: stays */
    struct order_edit_entry entry;
};

/* Makes the next version. A name to remove that is not there makes no difference. False with at
 * least one error in problems: the file is no YAML or larger than orders may be, a key has a value
 * of another kind, the layout cannot be edited (the result is read again and compared before it is
 * returned), or memory is out. */
bool order_edit_apply(const char *name, const struct file_bytes *file,
                      const struct order_edit *edit, struct file_bytes *out,
                      struct problem_list *problems);

/* Writes a whole new order: keys with their texts in this order (a value NULL: left out), then
 * edit->add, then a history of edit->entry. False when memory is out. */
struct order_edit_field {
    const char *key;
    const char *value;
};
bool order_edit_compose(const struct order_edit_field *fields, size_t count,
                        const struct order_edit *edit, struct file_bytes *out);

/* The key that holds names of this kind. */
const char *order_edit_key(enum name_kind kind);

/* The name of an item of names, exact or except, which may be a mapping. False if it is none. */
bool order_edit_name(struct yaml_node item, struct dname *out);
