/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Changes to a text: at a place, some octets go and others come. Splices are collected and then
 * made all at once; what no splice touches keeps every octet. Also finds the lines of the text.
 * Knows nothing of what the text means. Places are octets from 0 unless a function says characters.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct text_splice;

struct text_splices {
    const char *bytes; /* borrowed */
    size_t size;
    const char *eol; /* as the first line of the text ends */

    size_t *offsets; /* the rest is for text_splices.c alone */
    struct text_splice *items;
    size_t count;
    size_t capacity;
    bool failed;
};

/* The bytes (UTF-8) must outlive the splices. False when memory is out; there is nothing to free
 * then. */
bool text_splices_init(struct text_splices *splices, const char *bytes, size_t size);
void text_splices_fini(struct text_splices *splices);

/* The place of a character: of a code point counted from 0, a byte order mark not counted. */
size_t text_splices_offset(const struct text_splices *splices, size_t character);

/* Octets of the line break at a place, as YAML 1.1 has them; 0: none begins there. */
size_t text_splices_break(const struct text_splices *splices, size_t at);

/* The first place from here that is neither a space nor a tab. */
bool text_splices_is_blank(char c);
size_t text_splices_skip_blanks(const struct text_splices *splices, size_t at);

/* Of the line with this place: where it starts, where its break stands, where the next one starts;
 * the end of the text if there is none. */
size_t text_splices_line_start(const struct text_splices *splices, size_t at);
size_t text_splices_line_end(const struct text_splices *splices, size_t at);
size_t text_splices_next_line(const struct text_splices *splices, size_t at);
bool text_splices_begins_line(const struct text_splices *splices, size_t at);

/* The first place of the text behind a byte order mark. */
size_t text_splices_first(const struct text_splices *splices);

/* A splice: gone octets from a place go. What comes is written to the stream until
 * text_splices_end; no other splice may begin before. NULL when memory is out. Of splices at one
 * place the earlier stands first. */
FILE *text_splices_begin(struct text_splices *splices, size_t at, size_t gone);
void text_splices_end(struct text_splices *splices, FILE *out);

/* Splices that only cut, only insert; and one that comes at the end of the text alone, where the
 * last line lacks its end. Lost memory is told by text_splices_finish. */
void text_splices_cut(struct text_splices *splices, size_t at, size_t gone);
void text_splices_insert(struct text_splices *splices, size_t at, const char *text);
void text_splices_close_line(struct text_splices *splices, size_t at);

/* The new text, owned by the caller, with a NUL behind its size octets. NULL when memory is or was
 * out, or two splices want the same octets. */
char *text_splices_finish(struct text_splices *splices, size_t *size);
