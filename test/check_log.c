/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The log: what a line looks like, and that nothing from outside can forge or break one. Standard
 * error is turned into a pipe while an event is written.
 */
#include "forwarder/log.h"

#include <check.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/suite.h"

/* Runs one log_event call and leaves what it wrote in `line`. */
#define CAPTURE(line, ...)                                     \
    do {                                                       \
        int ends[2], old = dup(STDERR_FILENO);                 \
        ck_assert_int_eq(pipe(ends), 0);                       \
        dup2(ends[1], STDERR_FILENO);                          \
        close(ends[1]);                                        \
        log_event(__VA_ARGS__);                                \
        dup2(old, STDERR_FILENO);                              \
        close(old);                                            \
        ssize_t got = read(ends[0], (line), sizeof(line) - 1); \
        ck_assert_int_ge(got, 0);                              \
        (line)[got] = '\0';                                    \
        close(ends[0]);                                        \
    } while (0)

static const struct {
    const char *text;
    bool valid;
    enum log_level level;
} levels[] = {
    {"error", true, LOG_LEVEL_ERROR},   {"warning", true, LOG_LEVEL_WARNING},
    {"info", true, LOG_LEVEL_INFO},     {"debug", true, LOG_LEVEL_DEBUG},
    {"Info", false, LOG_LEVEL_INFO},    {"inf", false, LOG_LEVEL_INFO},
    {"", false, LOG_LEVEL_INFO},        {"infos", false, LOG_LEVEL_INFO},
    {"warn", false, LOG_LEVEL_WARNING},
};

START_TEST(level_is_parsed)
{
    enum log_level level;
    bool valid = log_level_parse(levels[_i].text, strlen(levels[_i].text), &level);
    ck_assert_msg(valid == levels[_i].valid, "%s", levels[_i].text);
    if (valid) {
        ck_assert_msg(level == levels[_i].level, "%s", levels[_i].text);
    }
}
END_TEST

static const struct {
    const char *label;
    const char *text;
    size_t size;
    const char *expected;
} quotes[] = {
    {"plain", "IT-MI-2022-07-11", 64, "IT-MI-2022-07-11"},
    {"path", "orders/IT/a.yaml:3:4", 64, "orders/IT/a.yaml:3:4"},
    {"empty", "", 64, "\"\""},
    {"blank", "a b", 64, "\"a b\""},
    {"quote and backslash", "a\"b\\c", 64, "\"a\\\"b\\\\c\""},
    {"equals would split", "a=b", 64, "\"a=b\""},
    {"line end", "a\nlevel=error", 64, "\"a\\x0alevel=error\""},
    {"escape", "\x1b[2J", 64, "\"\\x1b[2J\""},
    {"C1 control",
     "a\xc2\x9b"
     "b",
     64, "\"a\\xc2\\x9bb\""},
    {"C1 control by itself",
     "a\x9b"
     "b",
     64, "\"a\\x9bb\""},
    {"UTF-8 with such an octet stays", "法", 64, "法"},
    {"UTF-8 stays", "Münster 法院", 64, "\"Münster 法院\""},
    {"cut UTF-8 at the end", "a \xe6\xb3", 64, "\"a \xe6\xb3\""},
    {"an over-long escape is no character", "\xe0\x80\x9b[2J", 64, "\"\xe0\\x80\\x9b[2J\""},
    {"fits to the octet", "abc", 4, "abc"},
    {"plain but too long is cut in quotes", "abcd", 4, "\"a\""},
    {"never half an escape", "ab\n", 6, "\"ab\""},
    {"never half a character", " é", 4, "\" \""},
    {"no room for quotes", "ab", 2, ""},
};

START_TEST(value_is_quoted)
{
    char out[64];
    memset(out, 'x', sizeof out);
    ck_assert_ptr_eq(log_quote(quotes[_i].text, out, quotes[_i].size), out);
    ck_assert_msg(strcmp(out, quotes[_i].expected) == 0, "%s: %s", quotes[_i].label, out);
}
END_TEST

START_TEST(event_is_one_line)
{
    char line[2 * PIPE_BUF];
    CAPTURE(line, LOG_LEVEL_INFO, "orders", "order loaded", "id=%s sha256=%s", "IT-1", "ab");
    ck_assert_str_eq(line, "info orders: order loaded id=IT-1 sha256=ab\n");
    CAPTURE(line, LOG_LEVEL_ERROR, "server", "started", "");
    ck_assert_str_eq(line, "error server: started\n");
    CAPTURE(line, LOG_LEVEL_WARNING, "orders", "odd", "raw=%s", "a\nerror x: forged\x7f");
    ck_assert_str_eq(line, "warning orders: odd raw=a\\x0aerror x: forged\\x7f\n");
}
END_TEST

START_TEST(long_event_is_cut)
{
    char line[2 * PIPE_BUF], *filler = malloc(2 * PIPE_BUF);
    memset(filler, '\n', 2 * PIPE_BUF - 1);
    filler[2 * PIPE_BUF - 1] = '\0';
    CAPTURE(line, LOG_LEVEL_INFO, "orders", "long", "x=%s", filler);
    free(filler);
    size_t len = strlen(line);
    ck_assert_uint_le(len, PIPE_BUF);
    ck_assert_uint_gt(len, PIPE_BUF - 8);
    ck_assert_ptr_eq(strchr(line, '\n'), line + len - 1);
}
END_TEST

START_TEST(level_decides)
{
    char line[PIPE_BUF];
    CAPTURE(line, LOG_LEVEL_DEBUG, "a", "b", "");
    ck_assert_str_eq(line, "");
    log_set_level(LOG_LEVEL_DEBUG);
    CAPTURE(line, LOG_LEVEL_DEBUG, "a", "b", "c=%d", 1);
    ck_assert_str_eq(line, "debug a: b c=1\n");
    log_set_level(LOG_LEVEL_ERROR);
    CAPTURE(line, LOG_LEVEL_WARNING, "a", "b", "c=%d", 1);
    ck_assert_str_eq(line, "");
}
END_TEST

START_TEST(format_decides)
{
    char line[2 * PIPE_BUF];
    log_set_format(LOG_FORMAT_JSON);
    CAPTURE(line, LOG_LEVEL_WARNING, "a", "b", "c=%s", "\"d e\"");
    ck_assert_ptr_nonnull(strstr(
        line, "Z\",\"level\":\"warning\",\"module\":\"a\",\"message\":\"b\",\"c\":\"d e\"}\n"));
    log_set_format(LOG_FORMAT_TEXT);
    CAPTURE(line, LOG_LEVEL_WARNING, "a", "b", "");
    ck_assert_str_eq(line, "warning a: b\n");
}
END_TEST

/* What JOURNAL_STREAM says of another descriptor is left behind by a parent. */
START_TEST(another_stream_is_not_the_journal)
{
    static const char *const streams[] = {"", "1:2", ":", "x", "18446744073709551616:1"};
    char line[2 * PIPE_BUF];
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        setenv("JOURNAL_STREAM", streams[i], 1);
        log_find_journal();
        CAPTURE(line, LOG_LEVEL_WARNING, "a", "b", "");
        ck_assert_str_eq(line, "warning a: b\n");
    }
}
END_TEST

/* Where standard error is the journal's and its socket cannot be reached, as in another root. */
START_TEST(without_a_journal_there_is_standard_error)
{
    struct stat found;
    char own[64], line[2 * PIPE_BUF];
    ck_assert_int_eq(fstat(STDERR_FILENO, &found), 0);
    snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)found.st_dev, (uintmax_t)found.st_ino);
    setenv("JOURNAL_STREAM", own, 1);
    log_find_journal();
    CAPTURE(line, LOG_LEVEL_WARNING, "a", "b", "");
    bool here = access("/run/systemd/journal/socket", F_OK) == 0;
    ck_assert_str_eq(line, here ? "" : "warning a: b\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *tcase = tcase_create("log");
    tcase_add_loop_test(tcase, level_is_parsed, 0, sizeof levels / sizeof levels[0]);
    tcase_add_loop_test(tcase, value_is_quoted, 0, sizeof quotes / sizeof quotes[0]);
    tcase_add_test(tcase, event_is_one_line);
    tcase_add_test(tcase, long_event_is_cut);
    tcase_add_test(tcase, level_decides);
    tcase_add_test(tcase, format_decides);
    tcase_add_test(tcase, another_stream_is_not_the_journal);
    tcase_add_test(tcase, without_a_journal_there_is_standard_error);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
