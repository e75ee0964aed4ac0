/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Text from outside (an order's authority, a file's name, what a person typed) made fit for one
 * line of a terminal. Neither quotes nor escapes: it is for people; programs read JSON.
 */
#pragma once

#include <stddef.h>

/* Copies text into out, cut between characters to size (not 0). What a terminal would not show as
 * itself (control and format characters, octets that are not UTF-8) becomes "?". Returns out. */
char *plain_text(const char *text, char *out, size_t size);
