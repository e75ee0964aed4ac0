/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The lines of a plain list in memory, as people write such files: a byte order mark is passed
 * over, lines end with LF or CRLF, blanks at both ends do not count, # begins a comment at the
 * start of a line or after a blank. Empty lines are passed over. A line is borrowed from
 * the bytes and has not been checked: any octet but LF may stand in it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct line_reader {
    const char *at;
    const char *end;
    unsigned number; /* of the line that was read last */
};

struct line {
    const char *text;
    size_t len; /* at least 1 */
    unsigned number;
    unsigned column; /* of text, from 1 */
};

/* bytes may be NULL when size is 0. */
void line_reader_init(struct line_reader *reader, const char *bytes, size_t size);

/* Goes on behind the bytes that were read, with those that follow them in the file; lines are
 * counted on. The bytes before must have ended with a whole line. */
void line_reader_continue(struct line_reader *reader, const char *bytes, size_t size);

/* The next line that is not empty; false at the end. */
bool line_reader_next(struct line_reader *reader, struct line *out);
