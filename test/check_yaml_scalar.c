/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Scalars as they are written: plain only where every reader takes them for this very text, and
 * read again as what they were.
 */
#include "policy/yaml_scalar.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "policy/yaml_text.h"
#include "test/suite.h"

static const struct {
    const char *label;
    const char *text;
    const char *expected;
} rows[] = {
    {"a name", "kickasstorrents.to", "kickasstorrents.to"},
    {"a name that begins with digits", "1337x.to", "1337x.to"},
    {"words", "Tribunale di Milano", "Tribunale di Milano"},
    {"letters beyond ASCII",
     "b\xC3\xBC"
     "cher.it",
     "b\xC3\xBC"
     "cher.it"},
    {"a date", "2022-07-11", "2022-07-11"},
    {"no date", "2022-13-11", "\"2022-13-11\""},
    {"a number", "4711", "\"4711\""},
    {"a number with a point", "1.5", "\"1.5\""},
    {"a hexadecimal number", "0xBEEF", "\"0xBEEF\""},
    {"an octal number", "0o17", "\"0o17\""},
    {"an exponent", "1e3", "\"1e3\""},
    {"a boolean", "No", "\"No\""},
    {"nothing", "null", "\"null\""},
    {"a tilde", "~", "\"~\""},
    {"empty", "", "\"\""},
    {"a colon", "a: b", "\"a: b\""},
    {"a comment", "a #b", "\"a #b\""},
    {"an alias", "*a", "\"*a\""},
    {"a tag", "!a", "\"!a\""},
    {"a dash", "- a", "\"- a\""},
    {"flow style", "a,b", "\"a,b\""},
    {"brackets", "[a]", "\"[a]\""},
    {"quotes", "a \"b\" \\c", "\"a \\\"b\\\" \\\\c\""},
    {"blanks at the ends", " a ", "\" a \""},
    {"two blanks", "a  b", "\"a  b\""},
    {"a line end", "a\nb", "\"a\\U0000000Ab\""},
    {"a control of two octets", "a\xC2\x85", "\"a\\U00000085\""},
    {"a line separator", "\xE2\x80\xA8", "\"\\U00002028\""},
    {"a byte order mark", "a\xEF\xBB\xBF", "\"a\\U0000FEFF\""},
    {"a character of four octets", "a \xF0\x9F\x98\x80", "\"a \\U0001F600\""},
};

static char *printed(const char *text, const char *before, const char *after)
{
    char *out = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&out, &size);
    fputs(before, stream);
    yaml_scalar_print(text, stream);
    fputs(after, stream);
    ck_assert_int_eq(fclose(stream), 0);
    return out;
}

START_TEST(prints)
{
    char *out = printed(rows[_i].text, "", "");
    ck_assert_msg(strcmp(out, rows[_i].expected) == 0, "%s: %s", rows[_i].label, out);
    free(out);
}
END_TEST

/* In block style, and between the brackets of flow style. */
START_TEST(reads_as_the_same_text)
{
    static const char *const around[][2] = {{"a: ", "\n"}, {"{a: ", "}"}, {"{a: ", ", b: c}"}};
    for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
        struct problem_list problems;
        problem_list_init(&problems);
        char *out = printed(rows[_i].text, around[i][0], around[i][1]);
        struct yaml_text *text = yaml_text_parse("f", out, strlen(out), &problems);
        ck_assert_msg(text != NULL, "%s: %s", rows[_i].label, out);
        struct yaml_node value = yaml_node_find(yaml_text_root(text), "a");
        ck_assert_str_eq(yaml_node_scalar(value, NULL), rows[_i].text);
        yaml_text_free(text);
        problem_list_fini(&problems);
        free(out);
    }
}
END_TEST

START_TEST(knows_utf8)
{
    ck_assert(yaml_scalar_valid(""));
    ck_assert(yaml_scalar_valid("b\xC3\xBC"
                                "cher"));
    ck_assert(!yaml_scalar_valid("b\xFC"
                                 "cher"));
    ck_assert(!yaml_scalar_valid("\xC3"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("yaml_scalar");
    TCase *tcase = tcase_create("yaml_scalar");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, prints, 0, ROWS(rows));
    tcase_add_loop_test(tcase, reads_as_the_same_text, 0, ROWS(rows));
    tcase_add_test(tcase, knows_utf8);
    return suite_run(suite);
}
