/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Events for machines: key=value taken apart as log_quote puts it together, JSON whatever octets
 * come, and the fields of the journal.
 */
#include "forwarder/log_fields.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "test/suite.h"

static const struct {
    const char *label;
    const char *text;
    const char *expected; /* key<value> one behind the other */
} FIELDS[] = {
    {"none", "", ""},
    {"bare", "id=IT-1 status=active", "id<IT-1>status<active>"},
    {"quoted", "reason=\"no such file\" n=1", "reason<no such file>n<1>"},
    {"empty values", "a= b=\"\" c=", "a<>b<>c<>"},
    {"escapes", "v=\"a\\\"b\\\\c\\x0ad\" n=1", "v<a\"b\\c\nd>n<1>"},
    {"an escape that is none", "v=\"\\xzz\\q\"", "v<xzzq>"},
    {"NUL has no place in text", "v=\"\\x00\"", "v<?>"},
    {"a key within quotes", "v=\"x y=2\" n=1", "v<x y=2>n<1>"},
    {"quotes that nobody escaped", "v=\"cannot open \"x\": bad\" n=1",
     "v<cannot open \"x\": bad>n<1>"},
    {"a quote that is not closed", "v=\"a b n=1", "v<\"a b>n<1>"},
    {"a blank that nobody quoted", "path=/a b/c n=1", "path</a b/c>n<1>"},
    {"octets before the first key", "text a=1", "a<1>"},
    {"no key", "text \"more", ""},
    {"a key in capitals is none", "A=1 b=2", "b<2>"},
    {"two equals", "a=b=c", "a<b=c>"},
    {"a backslash at the end", "a=\"\\", "a<\"\\>"},
};

START_TEST(fields_are_taken_apart)
{
    static char found[2 * LOG_LINE_MAX];
    const char *text = FIELDS[_i].text;
    struct log_field field;
    found[0] = '\0';
    while (log_fields_next(&text, &field)) {
        size_t used = strlen(found);
        sprintf(found + used, "%.*s<%s>", (int)field.key_size, field.key, field.value);
    }
    ck_assert_msg(strcmp(found, FIELDS[_i].expected) == 0, "%s: %s", FIELDS[_i].label, found);
}
END_TEST

/* What log_quote writes is read as it was given. */
START_TEST(quoted_values_come_back)
{
    static const char *const values[] = {"plain",     "a b",     "\"", "\\",      "a=\"b\" c=d",
                                         "line\nend", "\x1b[2J", "",   "Münster", "x\" y=\"z"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char quoted[LOG_VALUE_MAX], text[2 * LOG_VALUE_MAX];
        struct log_field field;
        const char *at = text;
        snprintf(text, sizeof text, "v=%s n=1", log_quote(values[i], quoted, sizeof quoted));
        ck_assert(log_fields_next(&at, &field));
        ck_assert_str_eq(field.value, values[i]);
        ck_assert(log_fields_next(&at, &field));
        ck_assert_str_eq(field.value, "1");
    }
}
END_TEST

static const struct timespec TIME = {.tv_sec = 1795342445, .tv_nsec = 63346999};

static const struct {
    const char *label;
    const char *fields;
    const char *expected;
} OBJECTS[] = {
    {"no fields", "", ""},
    {"fields", "workers=2 version=0.1.0", ",\"workers\":\"2\",\"version\":\"0.1.0\""},
    {"quotes and backslashes", "v=\"a\\\"b\\\\c\"", ",\"v\":\"a\\\"b\\\\c\""},
    {"controls", "v=\"\\x0a\\x1b\\x7f\"", ",\"v\":\"\\u000a\\u001b\\u007f\""},
    {"C1", "v=a\xc2\x9b", ",\"v\":\"a\\u009b\""},
    {"UTF-8", "v=Münster-法院-🚫", ",\"v\":\"Münster-法院-🚫\""},
    {"no UTF-8", "v=a\xff\xc3(", ",\"v\":\"a\xef\xbf\xbd\xef\xbf\xbd(\""},
    {"a cut character", "v=a\xe6\xb3", ",\"v\":\"a\xef\xbf\xbd\xef\xbf\xbd\""},
    {"an over-long slash", "v=\xc0\xaf", ",\"v\":\"\xef\xbf\xbd\xef\xbf\xbd\""},
    {"a surrogate", "v=\xed\xa0\x80", ",\"v\":\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
};

START_TEST(objects_are_one_line_of_json)
{
    char line[LOG_LINE_MAX], expected[512];
    const struct log_record record = {LOG_LEVEL_WARNING, "server", "it happens",
                                      OBJECTS[_i].fields};
    size_t size = log_fields_json(&record, &TIME, line);
    int length = snprintf(expected, sizeof expected,
                          "{\"time\":\"2026-11-22T10:14:05.063346Z\",\"level\":\"warning\","
                          "\"module\":\"server\",\"message\":\"it happens\"%s}\n",
                          OBJECTS[_i].expected);
    ck_assert_msg(size == (size_t)length && memcmp(line, expected, size) == 0, "%s: %.*s",
                  OBJECTS[_i].label, (int)size, line);
    json_t *object = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(object);
    json_decref(object);
}
END_TEST

/* However long the values are, and whatever they consist of. */
START_TEST(long_objects_are_cut_within_values)
{
    static const char *const fillers[] = {"x", "\\x0a", "\"", "\xff", "ü", " "};
    for (size_t i = 0; i < sizeof fillers / sizeof fillers[0]; i++) {
        for (size_t length = 0; length < LOG_LINE_MAX; length += 389) {
            char fields[LOG_LINE_MAX] = "a=\"", line[LOG_LINE_MAX];
            size_t used = 3;
            while (used + strlen(fillers[i]) + 9 < length) {
                used += (size_t)sprintf(fields + used, "%s", fillers[i]);
            }
            sprintf(fields + used, "\" b=c");
            const struct log_record record = {LOG_LEVEL_INFO, "m", "e", fields};
            size_t size = log_fields_json(&record, &TIME, line);
            ck_assert_uint_le(size, LOG_LINE_MAX);
            ck_assert_int_eq(line[size - 1], '\n');
            json_t *object = json_loadb(line, size - 1, JSON_REJECT_DUPLICATES, NULL);
            ck_assert_msg(object != NULL, "%s %zu", fillers[i], length);
            json_decref(object);
        }
    }
}
END_TEST

START_TEST(the_journal_gets_fields)
{
    struct log_journal_room room;
    struct iovec fields[LOG_JOURNAL_FIELDS];
    static const char *const expected[] = {"PRIORITY=4", "MESSAGE=geo: old file=\"a b\"",
                                           "BAILIWICK_MODULE=geo", "BAILIWICK_EVENT=old",
                                           "BAILIWICK_FILE=a b"};
    const struct log_record record = {LOG_LEVEL_WARNING, "geo", "old", "file=\"a b\""};
    int count = log_fields_journal(&record, "geo: old file=\"a b\"", &room, fields);
    ck_assert_int_eq(count, 5);
    for (int i = 0; i < count; i++) {
        ck_assert_uint_eq(fields[i].iov_len, strlen(expected[i]));
        ck_assert_mem_eq(fields[i].iov_base, expected[i], fields[i].iov_len);
    }
}
END_TEST

START_TEST(the_journal_gets_no_more_than_there_is_room_for)
{
    struct log_journal_room room;
    struct iovec fields[LOG_JOURNAL_FIELDS];
    char text[LOG_LINE_MAX] = "";
    for (unsigned i = 0; i < 100; i++) {
        sprintf(text + strlen(text), "key%u=v ", i);
    }
    const struct log_record record = {LOG_LEVEL_ERROR, "m", "e", text};
    ck_assert_int_eq(log_fields_journal(&record, text, &room, fields), LOG_JOURNAL_FIELDS);
    static char key[200] = "a_key_of_more_letters_than_any_key_of_ours_has_and_then_some=1 b=2";
    const struct log_record odd = {LOG_LEVEL_ERROR, "m", "e", key};
    ck_assert_int_eq(log_fields_journal(&odd, "", &room, fields), 5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log_fields");
    TCase *cases = tcase_create("log_fields");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, fields_are_taken_apart, 0, sizeof FIELDS / sizeof FIELDS[0]);
    tcase_add_test(cases, quoted_values_come_back);
    tcase_add_loop_test(cases, objects_are_one_line_of_json, 0, sizeof OBJECTS / sizeof OBJECTS[0]);
    tcase_add_test(cases, long_objects_are_cut_within_values);
    tcase_add_test(cases, the_journal_gets_fields);
    tcase_add_test(cases, the_journal_gets_no_more_than_there_is_room_for);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
