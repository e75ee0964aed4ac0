/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * geo/utf8: what is a character, held against the table of the Unicode standard.
 */
#include "geo/utf8.h"

#include <check.h>
#include <string.h>

#include "test/suite.h"

/* The Unicode Standard, table 3-7. */
static const struct {
    unsigned first_from, first_to, second_from, second_to;
    size_t size;
} TABLE[] = {
    {0x00, 0x7f, 0, 0xff, 1},    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

/* The size of what begins with these two octets and goes on with as many as it needs. */
static size_t size_by_table(unsigned first, unsigned second)
{
    for (size_t i = 0; i < sizeof TABLE / sizeof TABLE[0]; i++) {
        if (first >= TABLE[i].first_from && first <= TABLE[i].first_to) {
            bool fits = second >= TABLE[i].second_from && second <= TABLE[i].second_to;
            return fits ? TABLE[i].size : 0;
        }
    }
    return 0;
}

START_TEST(characters_are_those_of_the_table)
{
    for (unsigned first = 1; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            const char text[] = {(char)first, (char)second, '\x80', '\xbf', '\0'};
            uint32_t code;
            size_t size = utf8_next(text, &code);
            ck_assert_msg(size == size_by_table(first, second), "%02x %02x", first, second);
            if (size <= 1) {
                ck_assert_uint_eq(code, first);
            }
        }
    }
}
END_TEST

START_TEST(a_cut_character_is_none)
{
    static const char *const whole[] = {"\xc3\xa9", "\xe6\xb3\x95", "\xf0\x9f\x91\xae"};
    uint32_t code;
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        size_t size = strlen(whole[i]);
        ck_assert_uint_eq(utf8_next(whole[i], &code), size);
        while (--size > 0) {
            char cut[4] = "";
            memcpy(cut, whole[i], size);
            ck_assert_msg(utf8_next(cut, &code) == 0, "%zu octets of %s", size, whole[i]);
        }
    }
}
END_TEST

START_TEST(code_points)
{
    static const struct {
        const char *text;
        uint32_t code;
        bool control;
    } rows[] = {
        {"\t", 0x09, true},
        {" ", 0x20, false},
        {"\x7f", 0x7f, true},
        {"\xc2\x80", 0x80, true},
        {"\xc2\x9f", 0x9f, true},
        {"\xc2\xa0", 0xa0, false},
        {"\xe6\xb3\x95", 0x6cd5, false},
        {"\xef\xbf\xbf", 0xffff, false},
        {"\xf4\x8f\xbf\xbf", 0x10ffff, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t code;
        ck_assert_uint_eq(utf8_next(rows[i].text, &code), strlen(rows[i].text));
        ck_assert_uint_eq(code, rows[i].code);
        ck_assert_int_eq(utf8_is_control(code), rows[i].control);
    }
}
END_TEST

START_TEST(a_mark_stands_in_front)
{
    ck_assert_uint_eq(utf8_mark("\xef\xbb\xbfx", 4), 3);
    ck_assert_uint_eq(utf8_mark("\xef\xbb\xbf", 3), 3);
    ck_assert_uint_eq(utf8_mark("\xef\xbb\xbf", 2), 0);
    ck_assert_uint_eq(utf8_mark("x\xef\xbb\xbf", 4), 0);
    ck_assert_uint_eq(utf8_mark(NULL, 0), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("utf8");
    TCase *tcase = tcase_create("utf8");
    tcase_add_test(tcase, characters_are_those_of_the_table);
    tcase_add_test(tcase, a_cut_character_is_none);
    tcase_add_test(tcase, code_points);
    tcase_add_test(tcase, a_mark_stands_in_front);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
