/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Cuts bytes in memory into lines without comments and blanks. Not here: what a line means. Owns
 * nothing.
 */
#include "policy/line_reader.h"

#include <string.h>

#include "geo/utf8.h"

void line_reader_init(struct line_reader *reader, const char *bytes, size_t size)
{
    size_t skip = utf8_mark(bytes, size);
    *reader = (struct line_reader){
        .at = skip == 0 ? bytes : bytes + skip,
        .end = size == 0 ? bytes : bytes + size,
    };
}

void line_reader_continue(struct line_reader *reader, const char *bytes, size_t size)
{
    reader->at = bytes;
    reader->end = bytes + size;
}

static bool is_blank(char character)
{
    return character == ' ' || character == '\t';
}

/* Where the comment of a line begins, or the line's end. */
static const char *find_comment(const char *line, const char *end)
{
    for (const char *at = line; at < end; at++) {
        at = memchr(at, '#', (size_t)(end - at));
        if (at == NULL) {
            return end;
        }
        if (at == line || is_blank(at[-1])) {
            return at;
        }
    }
    return end;
}

bool line_reader_next(struct line_reader *reader, struct line *out)
{
    while (reader->at < reader->end) {
        const char *line = reader->at;
        const char *feed = memchr(line, '\n', (size_t)(reader->end - line));
        reader->at = feed == NULL ? reader->end : feed + 1;
        reader->number++;

        const char *text = line;
        const char *end = find_comment(line, feed == NULL ? reader->end : feed);
        while (text < end && is_blank(*text)) {
            text++;
        }
        while (end > text && (is_blank(end[-1]) || end[-1] == '\r')) {
            end--;
        }
        if (text < end) {
            *out = (struct line){
                .text = text,
                .len = (size_t)(end - text),
                .number = reader->number,
                .column = (unsigned)(text - line) + 1,
            };
            return true;
        }
    }
    return false;
}
