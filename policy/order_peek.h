/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What must be known of an order file before it is changed, whether or not it is a valid order: an
 * edit may be about to correct its errors.
 */
#pragma once

#include "policy/order_edit.h"

struct order_peek;

/* NULL with an error in problems if the file is no YAML or no mapping, or memory is out. */
struct order_peek *order_peek_open(const char *name, const struct file_bytes *file,
                                   struct problem_list *problems);
void order_peek_free(struct order_peek *peek); /* NULL is allowed */

/* The id; "" for none. */
const char *order_peek_id(const struct order_peek *peek);

/* False, with an error in problems, if what stands there is no status. */
bool order_peek_status(const struct order_peek *peek, enum order_status *out,
                       struct problem_list *problems);

/* Which of these items stand in the file, by kind and name; once held[] is set, for each of them.
 * False when memory is out. */
bool order_peek_held(const struct order_peek *peek, const struct order_edit_item *items,
                     size_t count, bool *held);

/* The path of a list as the file gives it, the first of which has index 0; "" if there is none in
 * its place, NULL behind the last. */
const char *order_peek_list(const struct order_peek *peek, size_t index);

/* The value of this key in the newest entry of the history that has it, or "". */
const char *order_peek_newest(const struct order_peek *peek, const char *key);
