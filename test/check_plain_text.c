/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Text that a terminal would obey, octets that are no text, and cutting between characters.
 */
#include "forwarder/explain/plain_text.h"

#include <check.h>

#include "test/suite.h"

static const struct {
    const char *label, *text;
    size_t size;
    const char *expected;
} TEXTS[] = {
    {"plain", "Tribunale di Milano", 64, "Tribunale di Milano"},
    {"empty", "", 64, ""},
    {"not ASCII", "M\xc3\xbcnchen \xe6\x97\xa5\xe6\x9c\xac", 64,
     "M\xc3\xbcnchen \xe6\x97\xa5\xe6\x9c\xac"},
    {"escape, line end and tab", "a\x1b[31mb\nc\td", 64, "a?[31mb?c?d"},
    {"delete", "a\x7f", 64, "a?"},
    {"C1 in UTF-8",
     "a\xc2\x9b"
     "31m",
     64, "a?31m"},
    {"a lone C1 octet",
     "a\x9b"
     "31m",
     64, "a?31m"},
    {"right-to-left override",
     "a\xe2\x80\xae"
     "b",
     64, "a?b"},
    {"cut UTF-8 at the end", "a\xc3", 64, "a?"},
    {"over-long UTF-8", "\xc0\xaf", 64, "??"},
    {"just fits", "abc", 4, "abc"},
    {"one octet short", "abc", 3, "ab"},
    {"never half a character", "ab\xc3\xbc", 4, "ab"},
    {"room for nothing", "abc", 1, ""},
};

START_TEST(texts_become_harmless)
{
    for (size_t i = 0; i < ROWS(TEXTS); i++) {
        char out[64];
        ck_assert_ptr_eq(plain_text(TEXTS[i].text, out, TEXTS[i].size), out);
        ck_assert_msg(strcmp(out, TEXTS[i].expected) == 0, "%s: %s", TEXTS[i].label, out);
    }
}
END_TEST

START_TEST(counts_have_their_noun)
{
    char text[PLAIN_TEXT_COUNT_MAX];
    ck_assert_str_eq(plain_text_count(0, "query", "queries", text), "0 queries");
    ck_assert_str_eq(plain_text_count(1, "query", "queries", text), "1 query");
    ck_assert_str_eq(plain_text_count(2, "query", "queries", text), "2 queries");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plain_text");
    TCase *tcase = tcase_create("plain_text");
    tcase_add_test(tcase, texts_become_harmless);
    tcase_add_test(tcase, counts_have_their_noun);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
