/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lines of queries in each of their forms.
 */
#include "forwarder/cli/query_record.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "test/suite.h"

static const struct {
    const char *label;
    const char *line;
    size_t len;           /* 0: of the text */
    const char *expected; /* "address name type count", or why not; NULL: nothing */
} lines[] = {
    {"a name", "a.example\n", 0, "- a.example 1 1"},
    {"a name and a count", "A.Example. 12\r\n", 0, "- a.example 1 12"},
    {"as uniq -c counts", "      7 a.example\n", 0, "- a.example 1 7"},
    {"a name of digits", "7\n", 0, "- 7 1 1"},
    {"an address and a name", "192.0.2.1 a.example", 0, "192.0.2.1 a.example 1 1"},
    {"and a type", "2001:db8::1\ta.example\tAAAA", 0, "2001:db8::1 a.example 28 1"},
    {"and a count", "192.0.2.1 a.example 3", 0, "192.0.2.1 a.example 1 3"},
    {"type and count", "192.0.2.1 a.example TYPE65280 3", 0, "192.0.2.1 a.example 65280 3"},
    {"a service's name", "_dns.a.example", 0, "- _dns.a.example 1 1"},
    {"the most", "a.example 999999999999999", 0, "- a.example 1 999999999999999"},
    {"blank", " \t\r\n", 0, NULL},
    {"a comment", "# a.example 3", 0, NULL},
    {"no count", "a.example x", 0, "expected NAME [COUNT]"},
    {"a count of 0", "a.example 0", 0, "the count is 0"},
    {"a count that is too large", "a.example 1000000000000000", 0, "more than 15 digits"},
    {"a count below 0", "a.example -1", 0, "expected NAME [COUNT]"},
    {"too many words", "192.0.2.1 a.example A 1 2", 0, "expected NAME [COUNT]"},
    {"count before type", "192.0.2.1 a.example 1 A", 0, "expected NAME [COUNT]"},
    {"an address alone", "192.0.2.1", 0, "- 192.0.2.1 1 1"},
    {"no name", "a..example", 0, "not a domain name"},
    {"no type", "192.0.2.1 a.example NONE", 0, "not a record type"},
    {"a NUL", "a\0.example\n", 11, "the line holds a NUL octet"},
};

START_TEST(lines_are_read)
{
    char line[128], text[DNAME_TEXT_MAX], address[ADDRESS_TEXT_MAX], why[WHY_MAX] = "", got[2048];
    struct query_record record;
    size_t len = lines[_i].len == 0 ? strlen(lines[_i].line) : lines[_i].len;
    memcpy(line, lines[_i].line, len);
    line[len] = '\0';
    switch (query_record_parse(line, len, &record, why)) {
    case QUERY_RECORD_NOTHING:
        ck_assert_msg(lines[_i].expected == NULL, "%s", lines[_i].label);
        return;
    case QUERY_RECORD_BAD:
        snprintf(got, sizeof got, "%s", why);
        break;
    case QUERY_RECORD_ONE:
        snprintf(got, sizeof got, "%s %s %u %llu",
                 record.has_client ? address_format(&record.client, address) : "-",
                 dname_format(&record.name, text), record.type, (unsigned long long)record.count);
        break;
    }
    ck_assert_msg(lines[_i].expected != NULL && strstr(got, lines[_i].expected) != NULL, "%s: %s",
                  lines[_i].label, got);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("query_record");
    TCase *cases = tcase_create("lines");
    tcase_add_loop_test(cases, lines_are_read, 0, sizeof lines / sizeof lines[0]);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
