/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * policy/line_reader: which lines are seen, what of them, and where it stands.
 */
#include "policy/line_reader.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "test/suite.h"

#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
    const char *label;
    const char *bytes;
    size_t size;
    const char *expected; /* "line:column:text|" for each */
} files[] = {
    {"empty", BYTES(""), ""},
    {"one line", BYTES("a\n"), "1:1:a|"},
    {"no newline at the end", BYTES("a\nb"), "1:1:a|2:1:b|"},
    {"CRLF", BYTES("a\r\n\r\nb\r\n"), "1:1:a|3:1:b|"},
    {"blank lines", BYTES("\n \n\t\r\na\n\n"), "4:1:a|"},
    {"blanks at both ends", BYTES(" \ta b\t \n"), "1:3:a b|"},
    {"comments", BYTES("# x\na # y\n\t# z\n#\n"), "2:1:a|"},
    {"no comment within a word", BYTES("a#b c#\n"), "1:1:a#b c#|"},
    {"comment after a word with a mark", BYTES("a#b #c\n"), "1:1:a#b|"},
    {"byte order mark",
     BYTES("\xEF\xBB\xBF"
           "a\n"),
     "1:1:a|"},
    {"byte order mark alone", BYTES("\xEF\xBB\xBF"), ""},
    {"byte order mark before a comment", BYTES("\xEF\xBB\xBF# x\na"), "2:1:a|"},
    {"half a byte order mark", BYTES("\xEF\xBB"), "1:1:\xEF\xBB|"},
    {"a carriage return within", BYTES("a\rb\r\n"), "1:1:a\rb|"},
};

START_TEST(lines)
{
    char seen[256] = "";
    struct line_reader reader;
    struct line line;
    line_reader_init(&reader, files[_i].bytes, files[_i].size);
    while (line_reader_next(&reader, &line)) {
        size_t len = strlen(seen);
        snprintf(seen + len, sizeof seen - len, "%u:%u:%.*s|", line.number, line.column,
                 (int)line.len, line.text);
    }
    ck_assert_msg(strcmp(seen, files[_i].expected) == 0, "%s: %s", files[_i].label, seen);
    ck_assert_msg(!line_reader_next(&reader, &line), "%s: goes on", files[_i].label);
}
END_TEST

START_TEST(nothing)
{
    struct line_reader reader;
    struct line line;
    line_reader_init(&reader, NULL, 0);
    ck_assert(!line_reader_next(&reader, &line));
}
END_TEST

START_TEST(lines_are_counted_on)
{
    struct line_reader reader;
    struct line line;
    line_reader_init(&reader, BYTES("# x\na\n"));
    ck_assert(line_reader_next(&reader, &line));
    ck_assert(!line_reader_next(&reader, &line));
    line_reader_continue(&reader, BYTES("\n b\n"));
    ck_assert(line_reader_next(&reader, &line));
    ck_assert_uint_eq(line.number, 4);
    ck_assert_uint_eq(line.column, 2);
    ck_assert(!line_reader_next(&reader, &line));
}
END_TEST

START_TEST(nul_is_an_octet)
{
    struct line_reader reader;
    struct line line;
    line_reader_init(&reader, BYTES("a\0b\n"));
    ck_assert(line_reader_next(&reader, &line));
    ck_assert_uint_eq(line.len, 3);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("lines");
    tcase_add_loop_test(tcase, lines, 0, (int)(sizeof files / sizeof files[0]));
    tcase_add_test(tcase, nothing);
    tcase_add_test(tcase, lines_are_counted_on);
    tcase_add_test(tcase, nul_is_an_octet);
    Suite *suite = suite_create("line_reader");
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
