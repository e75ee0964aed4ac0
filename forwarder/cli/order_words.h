/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Names as operators give them on the command line: NAME with everything below it, =NAME alone,
 * !NAME never by this order.
 */
#pragma once

#include "policy/order_edit.h"

/* Room for what an entry of the history says of names. */
#define ORDER_WORDS_WHAT_MAX 200

/* Reads one name; its text is borrowed. False with a sentence in why. */
bool order_words_parse(const char *word, struct order_edit_item *out, char why[static WHY_MAX]);

/* Reads all words; the array is the caller's. NULL, all that is wrong said on standard error. */
struct order_edit_item *order_words_read(char **words, size_t count);

/* A name as it was given: "=" and the text. */
const char *order_words_sign(enum name_kind kind);

/* "add a.example, =b.example and 7 more". Returns out. */
char *order_words_what(const char *verb, const struct order_edit_item *items, size_t count,
                       char out[static ORDER_WORDS_WHAT_MAX]);
