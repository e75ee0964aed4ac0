/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Format names: one name a line, with everything below it; "=name" exactly, "!name" an exception;
 * # comments. Of a line with columns (parted by commas or semicolons, quoted or not, as
 * spreadsheets write them) the first one counts, and a first line that only says what the columns
 * are is passed over. Any other line is an error.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/list_lines.h"

/* What people call the column of the names. */
static const char *const titles[] = {
    "domain", "domains", "domain name", "domain_name", "domainname", "name",
    "names",  "host",    "hosts",       "hostname",    "host name",  "fqdn",
};

static bool is_separator(char octet)
{
    return octet == ',' || octet == ';';
}

static bool is_blank(char octet)
{
    return octet == ' ' || octet == '\t';
}

/* ---- Columns ---- */

/* Cuts a line down to what stands between the quotes it begins with. */
static bool take_quoted(struct line *line, char why[static WHY_MAX])
{
    const char *end = line->text + line->len;
    const char *close = memchr(line->text + 1, '"', line->len - 1);
    if (close == NULL) {
        snprintf(why, WHY_MAX, "the quote is not closed in this line");
        return false;
    }
    const char *behind = close + 1;
    while (behind < end && is_blank(*behind)) {
        behind++;
    }
    if (behind < end && !is_separator(*behind)) {
        line->column += (unsigned)(behind - line->text);
        snprintf(why, WHY_MAX, "expected a comma or the end of the line behind the quote");
        return false;
    }
    line->text++;
    line->column++;
    line->len = (size_t)(close - line->text);
    return true;
}

/* Cuts a line down to its first column. */
static bool take_column(struct line *line, char why[static WHY_MAX])
{
    if (*line->text == '"') {
        return take_quoted(line, why);
    }
    size_t len = 0;
    while (len < line->len && !is_separator(line->text[len])) {
        len++;
    }
    while (len > 0 && is_blank(line->text[len - 1])) {
        len--;
    }
    line->len = len;
    return true;
}

/* Is this the title of a column? "name" and "host" are TLDs too: not where the order means those.
 */
static bool is_title(const struct list_intake *intake, const struct line *line)
{
    struct dname name;
    char why[WHY_MAX];
    bool known = false;
    for (size_t i = 0; !known && i < sizeof titles / sizeof *titles; i++) {
        known =
            strlen(titles[i]) == line->len && strncasecmp(titles[i], line->text, line->len) == 0;
    }
    return known && !(dname_parse(line->text, line->len, &name, why) &&
                      guard_wide_has(&intake->options->wide, &name));
}

/* ---- Lines ---- */

/* Takes the mark in front of a name off the line. */
static enum name_kind take_kind(struct line *line)
{
    if (line->len == 0 || (*line->text != '=' && *line->text != '!')) {
        return NAME_SUBTREE;
    }
    enum name_kind kind = *line->text == '=' ? NAME_EXACT : NAME_EXCEPT;
    line->text++;
    line->len--;
    line->column++;
    return kind;
}

static void read_line(struct list_intake *intake, struct line *line, bool first)
{
    struct dname name;
    char why[WHY_MAX];
    bool good = take_column(line, why);
    if (good && first && is_title(intake, line)) {
        return;
    }
    enum name_kind kind = good ? take_kind(line) : NAME_SUBTREE;
    const struct list_place place = {line->number, line->column};
    if (!good || !dname_parse(line->text, line->len, &name, why)) {
        list_intake_bad(intake, place, "%s", why);
    } else if (kind == NAME_EXCEPT) {
        list_intake_pass(intake, &name, kind);
    } else {
        list_intake_block(intake, place, &name, kind, 0);
    }
}

/* The quick way: takes a line that is nothing but a plain name. False: it is something else, and
 * was not touched. */
static bool take_plain(struct list_intake *intake, struct line_reader *reader)
{
    struct dname name;
    size_t left = (size_t)(reader->end - reader->at);
    size_t len = dname_scan(reader->at, left, &name);
    size_t feed = len + (len < left && reader->at[len] == '\r' ? 1U : 0U);
    if (len == 0 || feed >= left || reader->at[feed] != '\n') {
        return false;
    }
    reader->at += feed + 1;
    reader->number++;
    list_intake_block(intake, (struct list_place){reader->number, 1}, &name, NAME_SUBTREE, 0);
    return true;
}

/* A list_lines_fn. */
static void take_lines(struct list_intake *intake, void *ctx, struct line_reader *reader)
{
    bool *first = ctx; /* no line was read yet */
    struct line line;
    while (!intake->out_of_memory) {
        if (!*first && take_plain(intake, reader)) {
            continue;
        }
        if (!line_reader_next(reader, &line)) {
            return;
        }
        read_line(intake, &line, *first);
        *first = false;
    }
}

void list_names_read(struct list_intake *intake, struct list_unpack *source)
{
    bool first = true;
    list_lines_read(intake, source, take_lines, &first);
}
