/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How the tests of wire code write bytes: pairs of hex digits and 'quoted ASCII', with blanks
 * between. "03'www'00 0001 0001" is the question www. A IN.
 */
#pragma once

#include <check.h>
#include <ctype.h>
#include <string.h>

#include "forwarder/wire/span.h"

#define WIRE_NOTATION_MAX 4096

static inline uint8_t wire_hex_digit(char digit)
{
    static const char DIGITS[] = "0123456789abcdef";
    const char *found = memchr(DIGITS, tolower((unsigned char)digit), sizeof DIGITS - 1);
    ck_assert_msg(found != NULL, "not a hex digit: %c", digit);
    return (uint8_t)(found - DIGITS);
}

/* Writes the bytes that text describes to out. */
static inline struct span wire_parse(const char *text, uint8_t out[static WIRE_NOTATION_MAX])
{
    struct span_writer writer = span_writer(out, WIRE_NOTATION_MAX);
    bool quoted = false;
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            quoted = !quoted;
        } else if (quoted) {
            span_write_u8(&writer, (uint8_t)*text);
        } else if (*text != ' ') {
            uint8_t high = wire_hex_digit(*text++);
            span_write_u8(&writer, (uint8_t)(high << 4 | wire_hex_digit(*text)));
        }
    }
    ck_assert_msg(!writer.failed && !quoted, "bad notation");
    return (struct span){out, writer.size};
}

static inline bool wire_equal(struct span a, struct span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.bytes, b.bytes, a.size) == 0);
}
