/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which of the items that an edit added an error in the next version is about. So each item is
 * judged by the reader of the daemon itself, whatever it holds against it.
 */
#pragma once

#include "policy/order_edit.h"

/* For each error in problems, calls blame with the index in edit->add of the item that it is about
 * and its text. False if one is about something else, or memory is out; what was blamed until then
 * stays so. bytes are what order_edit_apply made of the edit, and problems what was found in them.
 */
typedef void order_blame_fn(void *ctx, size_t index, const char *why);
bool order_blame(const struct order_edit *edit, const struct file_bytes *bytes,
                 const struct problem_list *problems, order_blame_fn *blame, void *ctx);
