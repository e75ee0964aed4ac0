/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Characters in text that may be anything: a file's, a client's. What is a well-formed sequence is
 * Unicode's table 3-7 (no over-long forms, no surrogates), as GLib knows it. In the lowest room
 * because readers of files, problems, the log and writers of JSON all need it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Octets of the character that a NUL-terminated text begins with, and its code point; 0, with the
 * first octet in *code, where the text begins with no well-formed sequence. */
size_t utf8_next(const char *text, uint32_t *code);

/* Octets of the byte order mark (U+FEFF) that some editors put in front of a text: 3 or 0. */
size_t utf8_mark(const char *bytes, size_t size);

/* C0, DEL and C1, which terminals obey. */
static inline bool utf8_is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/* Does the octet go on with a character that began before it? */
static inline bool utf8_continues(char octet)
{
    return ((unsigned char)octet & 0xc0U) == 0x80U;
}
