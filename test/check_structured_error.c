/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Structured errors to the octet; and any octets at all as texts, which must come out as JSON that
 * jansson reads.
 */
#include "forwarder/generation/structured_error.h"

#include <check.h>
#include <jansson.h>
#include <string.h>

#include "policy/order.h"
#include "test/suite.h"

#define OUT_MAX 1400

static char tel[] = "tel:+390212345";
static char mailto[] = "mailto:\"a\"@example.org";
static char *const CONTACTS[] = {tel, mailto};
static char lumen[] = "lumen", number[] = "12345", other[] = "ot\"her", path[] = "a\\b";
static const struct order_record RECORDS[] = {{lumen, number}, {other, path}};

static const struct {
    const char *label;
    struct structured_error error;
    const char *whole;
    const char *shortened;
} OBJECTS[] = {
    {"nothing", {.language = "en"}, "", ""},
    {"a justification",
     {.justification = "By order.", .language = "en"},
     "{\"j\":\"By order.\",\"l\":\"en\"}",
     ""},
    {"an organization", {.organization = "R", .language = "it"}, "{\"o\":\"R\",\"l\":\"it\"}", ""},
    {"a contact",
     {.contacts = CONTACTS, .contact_count = 1, .language = "en"},
     "{\"c\":[\"tel:+390212345\"]}",
     "{\"c\":[\"tel:+390212345\"]}"},
    {"a public record",
     {.justification = "J", .language = "und", .record = RECORDS, .record_count = 1},
     "{\"j\":\"J\",\"l\":\"und\",\"fdbs\":[{\"db\":\"lumen\",\"id\":\"12345\"}]}",
     "{\"fdbs\":[{\"db\":\"lumen\",\"id\":\"12345\"}]}"},
    {"all",
     {.contacts = CONTACTS,
      .contact_count = 2,
      .justification = "J",
      .organization = "O",
      .language = "en",
      .record = RECORDS,
      .record_count = 2},
     "{\"c\":[\"tel:+390212345\",\"mailto:\\\"a\\\"@example.org\"],\"j\":\"J\",\"o\":\"O\","
     "\"l\":\"en\",\"fdbs\":[{\"db\":\"lumen\",\"id\":\"12345\"},"
     "{\"db\":\"ot\\\"her\",\"id\":\"a\\\\b\"}]}",
     "{\"c\":[\"tel:+390212345\",\"mailto:\\\"a\\\"@example.org\"],"
     "\"fdbs\":[{\"db\":\"lumen\",\"id\":\"12345\"},{\"db\":\"ot\\\"her\",\"id\":\"a\\\\b\"}]}"},
};

static bool is(struct span got, const char *expected)
{
    return got.size == strlen(expected) &&
           (got.size == 0 || memcmp(got.bytes, expected, got.size) == 0);
}

START_TEST(objects_are_right_to_the_octet)
{
    for (size_t i = 0; i < ROWS(OBJECTS); i++) {
        uint8_t out[OUT_MAX];
        struct span whole = structured_error_write(&OBJECTS[i].error, true, out, sizeof out);
        ck_assert_msg(is(whole, OBJECTS[i].whole), "%s: %.*s", OBJECTS[i].label, (int)whole.size,
                      (const char *)whole.bytes);
        struct span shortened = structured_error_write(&OBJECTS[i].error, false, out, sizeof out);
        ck_assert_msg(is(shortened, OBJECTS[i].shortened), "%s: %.*s", OBJECTS[i].label,
                      (int)shortened.size, (const char *)shortened.bytes);
    }
}
END_TEST

#define BAD "\xef\xbf\xbd"

static const struct {
    const char *label;
    const char *text;
    const char *written;
} TEXTS[] = {
    {"letters", "aZ09 ~/'<>&", "aZ09 ~/'<>&"},
    {"a quote and a backslash", "\"\\", "\\\"\\\\"},
    {"controls with short forms", "\b\t\n\f\r", "\\b\\t\\n\\f\\r"},
    {"other controls", "\x01\x0b\x1f", "\\u0001\\u000b\\u001f"},
    {"DEL needs no escape", "\x7f", "\x7f"},
    {"two octets", "\xc2\x80\xc3\xa9\xdf\xbf", "\xc2\x80\xc3\xa9\xdf\xbf"},
    {"three octets", "\xe0\xa0\x80\xe2\x82\xac\xef\xbf\xbd",
     "\xe0\xa0\x80\xe2\x82\xac\xef\xbf\xbd"},
    {"four octets", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbd", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbd"},
    {"either side of the surrogates", "\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80"},
    {"a surrogate", "a\xed\xa0\x80z", "a" BAD BAD BAD "z"},
    {"noncharacters", "\xef\xb7\x90\xef\xb7\xaf\xef\xbf\xbe\xef\xbf\xbf", BAD BAD BAD BAD},
    {"either side of them", "\xef\xb7\x8f\xef\xb7\xb0", "\xef\xb7\x8f\xef\xb7\xb0"},
    {"noncharacters of other planes", "\xf0\x9f\xbf\xbe\xf4\x8f\xbf\xbf", BAD BAD},
    {"a continuation alone", "\x80z\xbf", BAD "z" BAD},
    {"what no text begins with", "\xc0\x80\xc1\xbf\xf5\x80\xff", BAD BAD BAD BAD BAD BAD BAD},
    {"longer than need be", "\xe0\x9f\xbf\xf0\x8f\xbf\xbf", BAD BAD BAD BAD BAD BAD BAD},
    {"beyond Unicode", "\xf4\x90\x80\x80", BAD BAD BAD BAD},
    {"cut after one of two", "z\xc3", "z" BAD},
    {"cut after two of three", "z\xe2\x82", "z" BAD BAD},
    {"cut after three of four", "z\xf0\x90\x80", "z" BAD BAD BAD},
    {"cut by a letter", "\xe2\x82z", BAD BAD "z"},
};

START_TEST(texts_become_strings_of_i_json)
{
    for (size_t i = 0; i < ROWS(TEXTS); i++) {
        uint8_t out[OUT_MAX];
        char expected[OUT_MAX];
        struct structured_error error = {.justification = TEXTS[i].text, .language = "en"};
        struct span got = structured_error_write(&error, true, out, sizeof out);
        snprintf(expected, sizeof expected, "{\"j\":\"%s\",\"l\":\"en\"}", TEXTS[i].written);
        ck_assert_msg(is(got, expected), "%s: %.*s", TEXTS[i].label, (int)got.size,
                      (const char *)got.bytes);
    }
}
END_TEST

/* Every size up to the whole: all of it, or nothing. */
START_TEST(what_does_not_fit_is_empty)
{
    const struct structured_error *error = &OBJECTS[ROWS(OBJECTS) - 1].error;
    uint8_t out[OUT_MAX];
    size_t size = structured_error_write(error, true, out, sizeof out).size;
    for (size_t room = 0; room < size; room++) {
        out[room] = 0xa5;
        ck_assert_uint_eq(structured_error_write(error, true, out, room).size, 0);
        ck_assert_uint_eq(out[room], 0xa5);
    }
    ck_assert_uint_eq(structured_error_write(error, true, out, size).size, size);
}
END_TEST

/* Every text of one and two octets, and what surrounds each octet. */
START_TEST(any_octets_are_readable)
{
    for (unsigned i = 1; i < 0x10000; i++) {
        char text[] = {(char)(i >> 8), (char)i, 'z', '\0'};
        uint8_t out[OUT_MAX];
        struct structured_error error = {.organization = text[0] == '\0' ? text + 1 : text,
                                         .language = "und"};
        struct span got = structured_error_write(&error, true, out, sizeof out);
        json_t *object =
            json_loadb((const char *)got.bytes, got.size, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_string(json_object_get(object, "o"))) {
            ck_abort_msg("%04x: %.*s", i, (int)got.size, (const char *)got.bytes);
        }
        json_decref(object);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("structured_error");
    TCase *tcase = tcase_create("structured_error");
    tcase_add_test(tcase, objects_are_right_to_the_octet);
    tcase_add_test(tcase, texts_become_strings_of_i_json);
    tcase_add_test(tcase, what_does_not_fit_is_empty);
    tcase_add_test(tcase, any_octets_are_readable);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
