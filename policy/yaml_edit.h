/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Changes to the text of a YAML file in place: what is not changed keeps every octet, comments,
 * order, quotes, line ends and indentation included. A change follows the style of what it changes:
 * block or flow, a line an item or all in one. Knows no key; what text comes out is for the caller
 * to judge, as nobody can say of each odd layout beforehand that it can be edited.
 *
 * The changes are splices of the text that the nodes were parsed from (policy/text_splices.h).
 */
#pragma once

#include "policy/text_splices.h"
#include "policy/yaml_text.h"

/* Writes an item: one line that is a value in block and in flow style. */
typedef void yaml_edit_item_fn(void *ctx, size_t index, FILE *out);

/* Items to be written, in their order. */
struct yaml_edit_items {
    size_t count;
    yaml_edit_item_fn *print;
    void *ctx;
};

/* Replaces a scalar of one line by a word. */
void yaml_edit_set(struct text_splices *text, struct yaml_node scalar, const char *word);

/* Appends items to a sequence. Once for each sequence of an edit. */
void yaml_edit_append(struct text_splices *text, struct yaml_node sequence,
                      const struct yaml_edit_items *items);

/* Takes items, one gone[] for each, out of the sequence that is the value of key. What remains of
 * it without items is []. A comment on the line of an item goes with it. Not in an edit that
 * appends to the same sequence. */
void yaml_edit_remove(struct text_splices *text, struct yaml_node key, struct yaml_node sequence,
                      const bool *gone);

/* Inserts a key into a mapping, behind the pair with the index after (the mapping has one at
 * least). Its value is the word, or where that is NULL the items. Of changes at one place the
 * earlier call stands first. */
struct yaml_edit_pair {
    const char *key;
    const char *word;
    struct yaml_edit_items items;
};
void yaml_edit_insert(struct text_splices *text, struct yaml_node mapping, size_t after,
                      const struct yaml_edit_pair *pair);
