/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Text from outside (an order's authority, a file's name, what a person typed) made safe to
 * print on one line of a terminal. Neither quotes nor escapes: it is for people; programs read
 * JSON.
 */
#pragma once

#include <stddef.h>

/* Copies text into out, cut between characters to size (not 0). What a terminal would not show as
 * itself (control and format characters, octets that are not UTF-8) becomes "?". Returns out. */
char *plain_text(const char *text, char *out, size_t size);

/* A number and what it counts: "1 query", "2 queries". Returns out. */
#define PLAIN_TEXT_COUNT_MAX 48
char *plain_text_count(size_t count, const char *one, const char *many,
                       char out[static PLAIN_TEXT_COUNT_MAX]);
