/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reading tickets (see order_tickets.h). Fields are cut up in place.
 */
#include "forwarder/cli/order_tickets.h"

#include <stdlib.h>
#include <string.h>

#include "forwarder/cli/order_words.h"
#include "policy/yaml_scalar.h"

#define FIELDS 4

void order_ticket_refuse(struct order_ticket *ticket, const char *why)
{
    if (ticket->fate != ORDER_TICKET_REFUSED) {
        ticket->fate = ORDER_TICKET_REFUSED;
        ticket->why = strdup(why);
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Cuts the quotes off a field that begins at its first one. Returns what stands behind it, NULL
 * without a closing quote. */
static char *unquote(char *field)
{
    char *to = field;
    for (char *from = field + 1; *from != '\0'; from++) {
        if (*from == '"' && from[1] != '"') {
            *to = '\0';
            return from + 1;
        }
        from += *from == '"';
        *to++ = *from;
    }
    *to = '\0';
    return NULL;
}

/* Cuts one field off; *rest is what stands behind its comma, NULL at the end. False for quotes that
 * are not closed or do not enclose the whole field. */
static bool cut_field(char **rest, char **out)
{
    char *field = *rest, *end;
    while (is_blank(*field)) {
        field++;
    }
    bool quoted = *field == '"';
    *out = field;
    end = quoted ? unquote(field) : field + strcspn(field, ",");
    if (end == NULL) {
        return false;
    }
    char *behind = quoted ? end + strspn(end, " \t\r") : end;
    bool more = *behind == ',';
    if (!more && *behind != '\0') {
        return false;
    }
    *rest = more ? behind + 1 : NULL;
    if (!quoted) {
        *behind = '\0';
        while (end > field && is_blank(end[-1])) {
            *--end = '\0';
        }
    }
    return true;
}

static const char *unless_empty(const char *text)
{
    return text == NULL || *text == '\0' ? NULL : text;
}

static void read_line(char *line, size_t len, struct order_ticket *out)
{
    char *fields[FIELDS] = {NULL};
    char why[WHY_MAX];
    char *rest = line;
    bool whole = strlen(line) == len && yaml_scalar_valid(line);
    for (size_t i = 0; whole && rest != NULL && i < FIELDS; i++) {
        whole = cut_field(&rest, &fields[i]);
    }
    out->given = fields[0] == NULL ? "?" : fields[0];
    if (!whole || rest != NULL || fields[0] == NULL) {
        order_ticket_refuse(out, "expected NAME[,TICKET[,EFFECTIVE[,UNTIL]]] in UTF-8");
        return;
    }
    if (!order_words_parse(fields[0], &out->item, why)) {
        order_ticket_refuse(out, why);
    } else if (out->item.kind == NAME_EXCEPT) {
        order_ticket_refuse(out, "an exception is no ticket; see 'bailiwick order add'");
    }
    out->item.ticket = unless_empty(fields[1]);
    out->item.effective = unless_empty(fields[2]);
    out->item.until = unless_empty(fields[3]);
}

static struct order_ticket *append(struct order_tickets *tickets)
{
    if (tickets->count == tickets->capacity) {
        size_t capacity = tickets->capacity * 2 + 64;
        struct order_ticket *more = reallocarray(tickets->items, capacity, sizeof *more);
        if (more == NULL) {
            return NULL;
        }
        tickets->items = more;
        tickets->capacity = capacity;
    }
    struct order_ticket *ticket = &tickets->items[tickets->count++];
    *ticket = (struct order_ticket){.given = ""};
    return ticket;
}

bool order_tickets_parse(char *text, size_t size, struct order_tickets *out)
{
    unsigned number = 0;
    *out = (struct order_tickets){.text = text};
    char *at = size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? text + 3 : text;
    for (char *next; at < text + size; at = next) {
        char *feed = memchr(at, '\n', (size_t)(text + size - at));
        char *end = feed == NULL ? text + size : feed;
        next = feed == NULL ? end : feed + 1;
        number++;
        while (at < end && is_blank(*at)) {
            at++;
        }
        *end = '\0';
        if (at == end || *at == '#') {
            continue;
        }
        struct order_ticket *ticket = append(out);
        if (ticket == NULL) {
            return false;
        }
        ticket->line = number;
        read_line(at, (size_t)(end - at), ticket);
    }
    return true;
}

void order_tickets_fini(struct order_tickets *tickets)
{
    for (size_t i = 0; i < tickets->count; i++) {
        free(tickets->items[i].why);
    }
    free(tickets->items);
    free(tickets->text);
    *tickets = (struct order_tickets){0};
}
