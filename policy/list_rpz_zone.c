/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * libzscanner takes each block for a whole input: an open parenthesis at its end is an error, and
 * so is a line cut in two. So blocks end only at a line feed outside parentheses; the scanner keeps
 * origin, TTL and owner from one to the next. It follows no file: $INCLUDE comes as a state of its
 * own when records are asked for one by one. Not here: what records mean.
 */
#include "policy/list_rpz_zone.h"

#include <libknot/descriptor.h>
#include <libzscanner/scanner.h>
#include <stdlib.h>
#include <string.h>

#include "geo/utf8.h"

#define DEFAULT_TTL 3600U /* never looked at */

/* Where the bytes seen so far have left off. */
struct cutter {
    unsigned depth; /* of parentheses */
    bool quoted;
    bool comment;
    bool escaped;
};

struct zone {
    struct list_intake *intake;
    zs_scanner_t *scanner;
    struct cutter cutter;
    list_rpz_record_fn *take;
    void *ctx;
    const char *block;
    size_t size;
    unsigned line; /* that the block begins with */
    bool stopped;
};

/* ---- Blocks ---- */

/* One octet. Quotes and comments end with the line, as in libzscanner. */
static void cutter_step(struct cutter *cutter, char octet)
{
    if (cutter->escaped) {
        cutter->escaped = false;
    } else if (octet == '\n') {
        cutter->quoted = false;
        cutter->comment = false;
    } else if (!cutter->comment && octet == '\\') {
        cutter->escaped = true;
    } else if (!cutter->comment && octet == '"') {
        cutter->quoted = !cutter->quoted;
    } else if (!cutter->comment && !cutter->quoted) {
        cutter->comment = octet == ';';
        cutter->depth += octet == '(';
        cutter->depth -= octet == ')' && cutter->depth > 0;
    }
}

/* A list_blocks_cut_fn. */
static size_t cut(void *ctx, const char *bytes, size_t size)
{
    struct cutter *cutter = ctx;
    size_t last = 0;
    for (size_t i = 0; i < size; i++) {
        bool escaped = cutter->escaped;
        cutter_step(cutter, bytes[i]);
        if (bytes[i] == '\n' && !escaped && cutter->depth == 0) {
            last = i + 1;
        }
    }
    return last;
}

/* libzscanner refuses CRLF. In front of a line feed a carriage return is as good as a blank. */
static void blank_returns(char *bytes, size_t size)
{
    for (char *end = bytes + size; bytes < end; bytes++) {
        bytes = memchr(bytes, '\r', (size_t)(end - bytes));
        if (bytes == NULL) {
            return;
        }
        if (bytes + 1 < end && bytes[1] == '\n') {
            *bytes = ' ';
        }
    }
}

static unsigned count_lines(const char *bytes, size_t size)
{
    unsigned lines = 0;
    for (const char *end = bytes + size; bytes < end; bytes++) {
        bytes = memchr(bytes, '\n', (size_t)(end - bytes));
        if (bytes == NULL) {
            break;
        }
        lines++;
    }
    return lines;
}

/* ---- Places ---- */

static bool is_blank(char octet)
{
    return octet == ' ' || octet == '\t';
}

struct list_place list_rpz_record_begin(const struct list_rpz_record *record)
{
    return (struct list_place){record->line, 1};
}

struct list_place list_rpz_record_end(const struct list_rpz_record *record)
{
    struct cutter cutter = {0};
    size_t word = 0; /* where the last word begins */
    bool within = false;
    for (size_t i = 0; i < record->text_len && !cutter.comment; i++) {
        char octet = record->text[i];
        bool open = cutter.quoted;
        cutter_step(&cutter, octet);
        bool parts = !open && (is_blank(octet) || octet == '(' || octet == ')' || octet == ';');
        if (!parts && !within) {
            word = i;
        }
        within = !parts;
    }
    return (struct list_place){record->line, (unsigned)word + 1};
}

/* A line of the block, without its line feed. */
static const char *find_line(const struct zone *zone, unsigned number, size_t *len)
{
    const char *at = zone->block, *end = zone->block + zone->size;
    for (unsigned line = zone->line; line < number && at < end; line++) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        at = feed == NULL ? end : feed + 1;
    }
    const char *feed = memchr(at, '\n', (size_t)(end - at));
    *len = (size_t)((feed == NULL ? end : feed) - at);
    return at;
}

/* The column of an error: the scanner gives the rest of a bad line that it did not read, as far as
 * its buffer goes, and the column is where that begins. 0: it cannot be told. */
static unsigned find_column(const struct zone *zone, unsigned number)
{
    const zs_scanner_t *scanner = zone->scanner;
    size_t len, rest = scanner->buffer_length == 0 ? 0 : scanner->buffer_length - 1;
    const char *line = find_line(zone, number, &len);
    if (rest == 0) {
        return (unsigned)len + 1;
    }
    if (rest <= len && memcmp(line + len - rest, scanner->buffer, rest) == 0) {
        return (unsigned)(len - rest) + 1;
    }
    const char *found = memmem(line, len, scanner->buffer, rest);
    return found == NULL ? 0 : (unsigned)(found - line) + 1;
}

/* ---- Records ---- */

/* What the scanner could not read. */
static void tell_error(struct zone *zone)
{
    const zs_scanner_t *scanner = zone->scanner;
    unsigned last = zone->line + count_lines(zone->block, zone->size - 1);
    /* Of a block that ends within a record the scanner does not know the line. */
    unsigned line = scanner->line_counter < zone->line || scanner->line_counter > last
                        ? last
                        : (unsigned)scanner->line_counter;
    const struct list_place place = {line, find_column(zone, line)};
    list_intake_bad(zone->intake, place, "%s", zs_strerror(scanner->error.code));
    zone->stopped = scanner->error.fatal;
}

/* The line that a record ends in, as far as the scanner has come. */
static void find_text(const struct zone *zone, struct list_rpz_record *record)
{
    const char *end = zone->scanner->input.current;
    if (end < zone->block || end > zone->block + zone->size) {
        end = zone->block + zone->size; /* it adds a line feed of its own to the last line */
    }
    const char *feed = memrchr(zone->block, '\n', (size_t)(end - zone->block));
    record->text = feed == NULL ? zone->block : feed + 1;
    record->text_len = (size_t)(end - record->text);
}

static void take_record(struct zone *zone)
{
    const zs_scanner_t *scanner = zone->scanner;
    struct list_rpz_record record = {
        .type = scanner->r_type,
        .data = scanner->r_data,
        .size = scanner->r_data_length,
        .line = (unsigned)scanner->line_counter,
    };
    find_text(zone, &record);
    if (scanner->r_class != KNOT_CLASS_IN) {
        list_intake_bad(zone->intake, list_rpz_record_begin(&record), "expected the class IN");
    } else if (dname_decode(scanner->r_owner, scanner->r_owner_length, &record.owner)) {
        zone->stopped = !zone->take(zone->ctx, &record);
    }
}

static void read_block(struct zone *zone)
{
    zs_scanner_t *scanner = zone->scanner;
    if (zs_set_input_string(scanner, zone->block, zone->size) != 0) {
        zone->intake->out_of_memory = true;
        return;
    }
    scanner->line_counter = zone->line;
    while (!zone->stopped && !zone->intake->out_of_memory) {
        if (zs_parse_record(scanner) != 0) {
            tell_error(zone);
            return;
        }
        switch (scanner->state) {
        case ZS_STATE_DATA:
            take_record(zone);
            break;
        case ZS_STATE_ERROR:
            tell_error(zone);
            break;
        case ZS_STATE_INCLUDE:
            list_intake_bad(zone->intake, (struct list_place){(unsigned)scanner->line_counter, 1},
                            "$INCLUDE is not followed: a list is one file");
            zone->stopped = true;
            break;
        case ZS_STATE_NONE:
        case ZS_STATE_EOF:
        case ZS_STATE_STOP:
            return;
        }
    }
}

static void read_blocks(struct zone *zone, struct list_blocks *blocks)
{
    char why[WHY_MAX];
    while (!zone->stopped && !zone->intake->out_of_memory) {
        switch (list_blocks_next(blocks, &zone->block, &zone->size, why)) {
        case LIST_BLOCKS_SOME:
            break;
        case LIST_BLOCKS_END:
            return;
        case LIST_BLOCKS_TOO_LONG:
            list_intake_bad(zone->intake, (struct list_place){zone->line, 0},
                            "what begins here does not end within %u bytes: is a parenthesis open?",
                            LIST_BLOCKS_BYTES);
            return;
        case LIST_BLOCKS_FAILED:
            list_intake_say(zone->intake, PROBLEM_ERROR, "%s", why);
            return;
        }
        blank_returns(blocks->buffer, zone->size); /* the block is its beginning */
        unsigned lines = count_lines(zone->block, zone->size);
        size_t mark = zone->line == 1 ? utf8_mark(zone->block, zone->size) : 0;
        zone->block += mark;
        zone->size -= mark;
        if (zone->size > 0) {
            read_block(zone);
        }
        zone->line += lines;
    }
}

void list_rpz_zone_read(struct list_intake *intake, struct list_unpack *source,
                        list_rpz_record_fn *take, void *ctx)
{
    struct zone zone = {.intake = intake, .take = take, .ctx = ctx, .line = 1};
    struct list_blocks blocks = {0};
    char why[WHY_MAX];
    zone.scanner = calloc(1, sizeof *zone.scanner);
    if (zone.scanner == NULL || zs_init(zone.scanner, ".", KNOT_CLASS_IN, DEFAULT_TTL) != 0 ||
        !list_blocks_init(&blocks, source, cut, &zone.cutter, why)) {
        intake->out_of_memory = true;
    } else {
        read_blocks(&zone, &blocks);
    }
    list_blocks_fini(&blocks);
    if (zone.scanner != NULL) {
        zs_deinit(zone.scanner);
    }
    free(zone.scanner);
}
