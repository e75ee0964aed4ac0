/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Format hosts: lines of hosts(5), "0.0.0.0 name...", each name blocked alone and not what stands
 * below it. That is what such a line says to a resolver that reads it, and who makes such a list
 * writes www.example and example in two lines; blocking everything below a name that was meant
 * alone would block what no order names. The address must be one that leads nowhere: a line with
 * another one is no block but somebody's host, and an error. The lines that such files begin with
 * (localhost, broadcasthost, ip6-allnodes) are passed over.
 */
#include <string.h>
#include <strings.h>

#include "geo/address.h"
#include "policy/list_lines.h"

/* Where a line must lead for its names to be blocked: nowhere, or to the client itself. */
static const char *const nowhere[] = {"0.0.0.0", "127.0.0.1", "::", "::1"};
#define NOWHERE_COUNT (sizeof nowhere / sizeof *nowhere)

/* What the system's own lines name, whatever the address. */
static const char *const system_names[] = {
    "localhost",     "localhost.localdomain",
    "localhost6",    "localhost6.localdomain6",
    "local",         "broadcasthost",
    "ip6-localhost", "ip6-loopback",
    "ip6-localnet",  "ip6-mcastprefix",
    "ip6-allnodes",  "ip6-allrouters",
    "ip6-allhosts",  "0.0.0.0",
};

/* A word of a line. */
struct word {
    const char *text;
    size_t len;
    struct list_place place;
};

static bool is_blank(char octet)
{
    return octet == ' ' || octet == '\t' || octet == '\r';
}

/* Takes the next word off the line; false at its end. In this format # begins a comment anywhere.
 */
static bool take_word(struct line *line, struct word *out)
{
    size_t begin = 0;
    while (begin < line->len && is_blank(line->text[begin])) {
        begin++;
    }
    size_t end = begin;
    while (end < line->len && !is_blank(line->text[end]) && line->text[end] != '#') {
        end++;
    }
    *out = (struct word){
        line->text + begin, end - begin, {line->number, line->column + (unsigned)begin}};
    if (end < line->len && line->text[end] == '#') {
        line->len = end;
    }
    line->text += end;
    line->len -= end;
    line->column += (unsigned)end;
    return out->len > 0;
}

/* What the first word of a line says. */
enum leads {
    LEADS_NOWHERE,
    LEADS_TO_HOST, /* another address; fe80::1%lo0 is one too */
    NO_ADDRESS,
};

static enum leads where_to(const struct word *word)
{
    struct address address, other;
    for (size_t i = 0; i < NOWHERE_COUNT; i++) {
        if (strlen(nowhere[i]) == word->len && memcmp(nowhere[i], word->text, word->len) == 0) {
            return LEADS_NOWHERE; /* written as nearly all lists do */
        }
    }
    const char *scope = memchr(word->text, '%', word->len);
    size_t len = scope == NULL ? word->len : (size_t)(scope - word->text);
    if (!address_parse(word->text, len, &address)) {
        return NO_ADDRESS;
    }
    for (size_t i = 0; scope == NULL && i < NOWHERE_COUNT; i++) {
        if (address_parse(nowhere[i], strlen(nowhere[i]), &other) &&
            address_equal(&address, &other)) {
            return LEADS_NOWHERE;
        }
    }
    return LEADS_TO_HOST;
}

static bool is_system_name(const struct word *word)
{
    for (size_t i = 0; i < sizeof system_names / sizeof *system_names; i++) {
        if (strlen(system_names[i]) == word->len &&
            strncasecmp(system_names[i], word->text, word->len) == 0) {
            return true;
        }
    }
    return false;
}

static void read_name(struct list_intake *intake, const struct word *word,
                      const struct word *address, enum leads leads)
{
    struct dname name;
    char why[WHY_MAX];
    if (is_system_name(word)) {
        return;
    }
    if (!dname_parse(word->text, word->len, &name, why)) {
        list_intake_bad(intake, word->place, "%s", why);
    } else if (leads != LEADS_NOWHERE) {
        list_intake_bad(intake, address->place,
                        "this line gives a host an address; expected 0.0.0.0, 127.0.0.1, :: or "
                        "::1 before names to block");
    } else {
        list_intake_block(intake, word->place, &name, NAME_EXACT, 0);
    }
}

static void read_line(struct list_intake *intake, struct line *line)
{
    struct word first, word;
    if (!take_word(line, &first)) {
        return;
    }
    enum leads leads = where_to(&first);
    if (leads == NO_ADDRESS) {
        list_intake_bad(intake, first.place,
                        "expected an address before the name, as in 0.0.0.0 name");
        return;
    }
    bool any = false;
    for (; take_word(line, &word); any = true) {
        read_name(intake, &word, &first, leads);
    }
    if (!any) {
        list_intake_bad(intake, first.place, "expected a name behind the address");
    }
}

/* A list_lines_fn. */
static void take_lines(struct list_intake *intake, void *ctx, struct line_reader *reader)
{
    (void)ctx;
    struct line line;
    while (!intake->out_of_memory && line_reader_next(reader, &line)) {
        read_line(intake, &line);
    }
}

void list_hosts_read(struct list_intake *intake, struct list_unpack *source)
{
    list_lines_read(intake, source, take_lines, NULL);
}
