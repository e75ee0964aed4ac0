/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lines of a batch: what is a question, what is passed over, what is refused.
 */
#include "forwarder/cli/test_batch.h"

#include <check.h>
#include <string.h>

#include "test/suite.h"

static const struct {
    const char *label, *line;
    size_t len; /* 0: of the text */
    enum test_batch_line expected;
    const char *address, *name, *type;
} LINES[] = {
    {"address and name", "192.0.2.1 a.example\n", 0, TEST_BATCH_QUESTION, "192.0.2.1", "a.example",
     NULL},
    {"a type", "192.0.2.1 a.example AAAA", 0, TEST_BATCH_QUESTION, "192.0.2.1", "a.example",
     "AAAA"},
    {"blanks and tabs, CR and LF", " \t192.0.2.1\t\ta.example  MX \r\n", 0, TEST_BATCH_QUESTION,
     "192.0.2.1", "a.example", "MX"},
    {"empty", "", 0, TEST_BATCH_NOTHING, NULL, NULL, NULL},
    {"blank", " \t\r\n", 0, TEST_BATCH_NOTHING, NULL, NULL, NULL},
    {"a comment", "# 192.0.2.1 a.example\n", 0, TEST_BATCH_NOTHING, NULL, NULL, NULL},
    {"no name", "192.0.2.1\n", 0, TEST_BATCH_BAD, NULL, NULL, NULL},
    {"a word too many", "192.0.2.1 a.example A B\n", 0, TEST_BATCH_BAD, NULL, NULL, NULL},
    {"a NUL", "192.0.2.1 a\0.example\n", 21, TEST_BATCH_BAD, NULL, NULL, NULL},
};

static void expect(const char *label, const char *text, const char *expected)
{
    ck_assert_msg(expected == NULL ? text == NULL : text != NULL && strcmp(text, expected) == 0,
                  "%s: %s", label, text);
}

START_TEST(lines_are_split)
{
    for (size_t i = 0; i < ROWS(LINES); i++) {
        char line[64];
        char why[WHY_MAX] = "";
        struct test_batch_words words;
        size_t len = LINES[i].len > 0 ? LINES[i].len : strlen(LINES[i].line);
        memcpy(line, LINES[i].line, len + 1);
        enum test_batch_line kind = test_batch_split(line, len, &words, why);
        ck_assert_msg(kind == LINES[i].expected, "%s: %d %s", LINES[i].label, (int)kind, why);
        ck_assert_msg((kind == TEST_BATCH_BAD) == (why[0] != '\0'), "%s: %s", LINES[i].label, why);
        if (kind == TEST_BATCH_QUESTION) {
            expect(LINES[i].label, words.address, LINES[i].address);
            expect(LINES[i].label, words.name, LINES[i].name);
            expect(LINES[i].label, words.type, LINES[i].type);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("test_batch");
    TCase *tcase = tcase_create("test_batch");
    tcase_add_test(tcase, lines_are_split);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
