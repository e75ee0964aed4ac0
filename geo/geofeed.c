/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lines, fields, and what is wrong with them. A text is a pointer with a length into the bytes that
 * were given; nothing is copied, nothing needs a terminating NUL.
 */
#include "geo/geofeed.h"

#include <stdlib.h>
#include <string.h>

#include "geo/utf8.h"

/* After so many errors the file is no geofeed and more of them help nobody. */
#define ERRORS_MAX 100U

#define FIELDS 5

struct text {
    const char *at;
    size_t len;
};

struct reader {
    const char *name;
    struct problem_list *problems;
    size_t errors; /* in this feed */
    unsigned line;
    struct text whole_line;
    struct geofeed *feed;
    size_t capacity;
};

/* The column of a place in the current line, in characters: continuation bytes do not count. */
static unsigned column_of(const struct reader *reader, const char *at)
{
    unsigned column = 1;
    for (const char *c = reader->whole_line.at; c < at; c++) {
        column += !utf8_continues(*c);
    }
    return column;
}

/* A statement: this line is wrong at this place. */
#define REFUSE_LINE(reader, at, ...)                                                        \
    do {                                                                                    \
        (reader)->errors++;                                                                 \
        problem_list_add((reader)->problems, PROBLEM_ERROR, (reader)->name, (reader)->line, \
                         column_of(reader, at), __VA_ARGS__);                               \
    } while (0)

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct text trim(struct text text)
{
    while (text.len > 0 && blank(text.at[0])) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && blank(text.at[text.len - 1])) {
        text.len--;
    }
    return text;
}

static struct text unquote(struct text text)
{
    if (text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"') {
        return trim((struct text){text.at + 1, text.len - 2});
    }
    return text;
}

/* How long the first field of a text is: up to a comma outside quotes. A doubled quote inside a
 * quoted field closes and opens it again. */
static size_t field_length(struct text text)
{
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"') {
            quoted = !quoted;
        } else if (text.at[i] == ',' && !quoted) {
            return i;
        }
    }
    return text.len;
}

/* Fields that the line leaves out are empty, at its end. */
static bool split(struct reader *reader, struct text line, struct text fields[static FIELDS])
{
    for (size_t i = 0; i < FIELDS; i++) {
        size_t len = field_length(line);
        fields[i] = unquote(trim((struct text){line.at, len}));
        bool more = len < line.len;
        line.at += len + more;
        line.len -= len + more;
        if (more && i == FIELDS - 1) {
            REFUSE_LINE(reader, line.at,
                        "more than five fields; expected prefix,country,region,city,postal code");
            return false;
        }
    }
    return true;
}

/* As much of a text as there is room for. */
static void copy_in_capitals(struct text text, char *out, size_t room)
{
    for (size_t i = 0; i < room && i < text.len; i++) {
        bool small = text.at[i] >= 'a' && text.at[i] <= 'z';
        out[i] = (char)(small ? text.at[i] - 'a' + 'A' : text.at[i]);
    }
}

static bool read_country(struct text text, struct country *out)
{
    *out = COUNTRY_UNKNOWN;
    if (text.len == 0) {
        return true;
    }
    char code[2] = {0};
    copy_in_capitals(text, code, sizeof code);
    return country_parse(code, text.len, out);
}

static struct subdivisions read_region(struct text text, struct country country)
{
    struct subdivisions within = SUBDIVISIONS_UNKNOWN;
    struct subdivision region;
    char code[SUBDIVISION_TEXT_MAX] = {0};
    copy_in_capitals(text, code, sizeof code);
    if (text.len < sizeof code && subdivision_parse(code, text.len, &region) &&
        country_equal(region.country, country)) {
        subdivisions_add(&within, &region);
    }
    return within;
}

static bool append(struct geofeed *feed, size_t *capacity, const struct geofeed_row *row)
{
    if (feed->count == *capacity) {
        size_t larger = *capacity == 0 ? 64 : 2 * *capacity;
        struct geofeed_row *rows = reallocarray(feed->rows, larger, sizeof *rows);
        if (rows == NULL) {
            return false;
        }
        feed->rows = rows;
        *capacity = larger;
    }
    feed->rows[feed->count++] = *row;
    return true;
}

/* Locating goes by the IPv4 address inside a 6to4 address, so such a prefix is never asked for. */
static void warn_of_6to4(const struct reader *reader, const struct geofeed_row *row)
{
    static const struct network sixtofour = {{{0x20, 0x02}}, 16};
    if (row->network.length >= sixtofour.length &&
        network_contains(&sixtofour, &row->network.base)) {
        problem_list_add(reader->problems, PROBLEM_WARNING, reader->name, row->line, row->column,
                         "has no effect: a 6to4 address is where the IPv4 address in it is; "
                         "name the IPv4 network");
    }
}

static void read_row(struct reader *reader, struct text line)
{
    struct text fields[FIELDS];
    if (!split(reader, line, fields)) {
        return;
    }
    struct text prefix = fields[0];
    struct text code = fields[1];
    struct geofeed_row row = {.line = reader->line, .column = column_of(reader, prefix.at)};
    char why[WHY_MAX];
    if (!network_parse(prefix.at, prefix.len, &row.network, why, sizeof why)) {
        REFUSE_LINE(reader, prefix.at, "%s", why);
        return;
    }
    if (!read_country(code, &row.country)) {
        REFUSE_LINE(reader, code.at,
                    "\"%.*s\" is not a country code of ISO 3166-1; an empty field means unknown",
                    code.len < 40 ? (int)code.len : 40, code.at);
        return;
    }
    row.within = read_region(fields[2], row.country);
    warn_of_6to4(reader, &row);
    if (!append(reader->feed, &reader->capacity, &row)) {
        REFUSE_LINE(reader, prefix.at, "out of memory");
    }
}

static void read_line(struct reader *reader, struct text line)
{
    reader->line++;
    reader->whole_line = line;
    const char *nul = memchr(line.at, '\0', line.len);
    if (nul != NULL) {
        REFUSE_LINE(reader, nul, "a NUL byte; expected text");
        return;
    }
    if (line.len > 0 && line.at[line.len - 1] == '\r') {
        line.len--;
    }
    const char *comment = memchr(line.at, '#', line.len);
    if (comment != NULL) {
        line.len = (size_t)(comment - line.at);
    }
    line = trim(line);
    if (line.len > 0) {
        read_row(reader, line);
    }
}

bool geofeed_parse(const char *name, const char *bytes, size_t size, struct geofeed *out,
                   struct problem_list *problems)
{
    size_t mark = utf8_mark(bytes, size);
    *out = (struct geofeed){0};
    struct reader reader = {.name = name, .problems = problems, .feed = out};
    if (mark > 0) {
        bytes += mark;
        size -= mark;
    }
    while (size > 0 && reader.errors < ERRORS_MAX) {
        const char *end = memchr(bytes, '\n', size);
        size_t len = end == NULL ? size : (size_t)(end - bytes);
        read_line(&reader, (struct text){bytes, len});
        size -= len + (end != NULL);
        bytes += len + (end != NULL);
    }
    if (reader.errors == ERRORS_MAX && size > 0) {
        problem_list_add(problems, PROBLEM_ERROR, name, reader.line, 0,
                         "the rest of the file was not read: too many errors");
    }
    if (reader.errors > 0) {
        geofeed_fini(out);
    }
    return reader.errors == 0;
}

void geofeed_fini(struct geofeed *feed)
{
    free(feed->rows);
    *feed = (struct geofeed){0};
}
