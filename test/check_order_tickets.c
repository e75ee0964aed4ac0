/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lines of ticket systems: what is a ticket, and what is answered to the rest.
 */
#include "forwarder/cli/order_tickets.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/suite.h"

#define REFUSED "expected NAME[,TICKET[,EFFECTIVE[,UNTIL]]] in UTF-8"

/* A ticket is "line given|ticket|effective|until", a refused one "line given: why". */
static const struct {
    const char *label;
    const char *text;
    size_t size; /* 0: strlen */
    const char *expected;
} rows[] = {
    {"nothing", "", 0, ""},
    {"comments and blanks", "# a\n\n  \t\r\n  # b\n", 0, ""},
    {"a name", "a.it\n", 0, "1 a.it|-|-|-;"},
    {"no line end", "a.it", 0, "1 a.it|-|-|-;"},
    {"CRLF and a byte order mark",
     "\xEF\xBB\xBF"
     "a.it,1\r\nb.it\r\n",
     0, "1 a.it|1|-|-;2 b.it|-|-|-;"},
    {"an exact name", "=a.it,4711", 0, "1 =a.it|4711|-|-;"},
    {"dates", "a.it,4711,2026-01-01,2026-02-01", 0, "1 a.it|4711|2026-01-01|2026-02-01;"},
    {"empty fields", "a.it,,,2026-02-01\nb.it,\n", 0, "1 a.it|-|-|2026-02-01;2 b.it|-|-|-;"},
    {"blanks around fields", "  a.it\t, 47 11 ,\t", 0, "1 a.it|47 11|-|-;"},
    {"quotes", "\"a.it\" , \"1,\"\"2\"\"\"", 0, "1 a.it|1,\"2\"|-|-;"},
    {"empty quotes", "a.it,\"\"", 0, "1 a.it|-|-|-;"},
    {"a hash in a field", "a.it,47 #11", 0, "1 a.it|47 #11|-|-;"},
    {"five fields", "a.it,1,2,3,4", 0, "1 a.it: " REFUSED ";"},
    {"an open quote", "a.it,\"1", 0, "1 a.it: " REFUSED ";"},
    {"an open quote before letters of two octets", "\"a\xD2\x96", 0, "1 a\xD2\x96: " REFUSED ";"},
    {"text behind a quote", "\"a.it\"x", 0, "1 a.it: " REFUSED ";"},
    {"not UTF-8", "a\xFF.it", 0, "1 ?: " REFUSED ";"},
    {"a NUL", "a.it\0b", 6, "1 ?: " REFUSED ";"},
    {"no name", ",1", 0, "1 : a name is expected, and there is none;"},
    {"a bad name", "a..it\nb.it", 0, "1 a..it: there is an empty label;2 b.it|-|-|-;"},
    {"an exception", "!a.it", 0, "1 !a.it: an exception is no ticket; see 'bailiwick order add';"},
};

static const char *or_dash(const char *text)
{
    return text == NULL ? "-" : text;
}

static void describe(const struct order_ticket *ticket, FILE *out)
{
    fprintf(out, "%u %s", ticket->line, ticket->given);
    if (ticket->fate == ORDER_TICKET_REFUSED) {
        fprintf(out, ": %s;", ticket->why);
        return;
    }
    ck_assert_int_eq(ticket->fate, ORDER_TICKET_PROCESSED);
    ck_assert_int_eq(ticket->item.kind, ticket->given[0] == '=' ? NAME_EXACT : NAME_SUBTREE);
    fprintf(out, "|%s|%s|%s;", or_dash(ticket->item.ticket), or_dash(ticket->item.effective),
            or_dash(ticket->item.until));
}

START_TEST(reads)
{
    struct order_tickets tickets;
    size_t size = rows[_i].size > 0 ? rows[_i].size : strlen(rows[_i].text);
    char *text = malloc(size + 1), *described = NULL;
    memcpy(text, rows[_i].text, size);
    text[size] = '\0';
    ck_assert(order_tickets_parse(text, size, &tickets));
    FILE *out = open_memstream(&described, &size);
    for (size_t i = 0; i < tickets.count; i++) {
        describe(&tickets.items[i], out);
    }
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_msg(strcmp(described, rows[_i].expected) == 0, "%s: %s", rows[_i].label, described);
    free(described);
    order_tickets_fini(&tickets);
}
END_TEST

START_TEST(refuses_once)
{
    struct order_ticket ticket = {.given = "a.it"};
    order_ticket_refuse(&ticket, "the first reason");
    order_ticket_refuse(&ticket, "another one");
    ck_assert_str_eq(ticket.why, "the first reason");
    free(ticket.why);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order_tickets");
    TCase *tcase = tcase_create("order_tickets");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, reads, 0, ROWS(rows));
    tcase_add_test(tcase, refuses_once);
    return suite_run(suite);
}
