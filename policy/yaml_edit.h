/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Changes to the text of a YAML file in place: what is not changed keeps every octet, comments,
 * order, quotes, line ends and indentation included. A change follows the style of what it changes:
 * block or flow, one item a line or all on one. Knows no key. The caller must check the text that
 * comes out, since not every odd layout can be edited.
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

/* Removes the items for which gone[] is set from the sequence that is the value of key. A sequence
 * that loses all items becomes []. A comment on the line of an item goes with it. Not in an edit
 * that appends to the same sequence. */
void yaml_edit_remove(struct text_splices *text, struct yaml_node key, struct yaml_node sequence,
                      const bool *gone);

/* Inserts a key into a mapping, which is not empty, behind the pair with the index after. Its value
 * is the word or, if that is NULL, the items. Of insertions at one place the earlier call stands
 * first. */
struct yaml_edit_pair {
    const char *key;
    const char *word;
    struct yaml_edit_items items;
};
void yaml_edit_insert(struct text_splices *text, struct yaml_node mapping, size_t after,
                      const struct yaml_edit_pair *pair);
