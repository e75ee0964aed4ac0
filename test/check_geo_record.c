/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Data records of the MaxMind DB format, byte by byte: sound ones, and each way to be broken.
 */
#include "geo/geo_record.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "test/suite.h"

/* A literal with its length; the control bytes are type << 5 | size. */
#define BYTES(literal) literal, sizeof(literal) - 1

static const char *const CODE[] = {"cc", NULL};
static const char *const NESTED[] = {"country", "iso_code", NULL};
static const char *const TOP[] = {NULL};
static const char *const FIRST[] = {"s", "0", "c", NULL};
static const char *const SECOND[] = {"s", "1", "c", NULL};
static const char *const ITEM[] = {"1", NULL};

/* A literal ends before a letter that could be read as hexadecimal; the pieces stay together. */
/* clang-format off */
static const struct {
    const char *label;
    const char *bytes;
    size_t size, offset;
    const char *const *path;
    enum geo_record_outcome outcome;
    const char *text;
} RECORDS[] = {
    {"a text alone", BYTES("\x42IT"), 0, TOP, GEO_RECORD_TEXT, "IT"},
    {"an empty text", BYTES("\x40"), 0, TOP, GEO_RECORD_TEXT, ""},
    {"a flat map", BYTES("\xe1\x42" "cc" "\x42IT"), 0, CODE, GEO_RECORD_TEXT, "IT"},
    {"not at the start", BYTES("xyz\xe1\x42" "cc" "\x42IT"), 3, CODE, GEO_RECORD_TEXT, "IT"},
    {"a map in a map", BYTES("\xe1\x47" "country\xe1\x48iso_code\x42IT"),
     0, NESTED, GEO_RECORD_TEXT, "IT"},
    {"behind a map with the same key",
     BYTES("\xe2\x49" "continent\xe1\x48iso_code\x42" "EU" "\x47" "country\xe1\x48iso_code\x42IT"),
     0, NESTED, GEO_RECORD_TEXT, "IT"},
    {"behind every type",
     BYTES("\xee"
           "\x41" "a" "\x68\0\0\0\0\0\0\0\0" /* double */
           "\x41" "b" "\x83xyz" /* bytes */
           "\x41" "c" "\xa2\1\2" /* uint16 */
           "\x41" "d" "\xc4\1\2\3\4" /* uint32 */
           "\x41" "e" "\x04\x01\1\2\3\4" /* int32 */
           "\x41" "f" "\x08\x02\0\0\0\0\0\0\0\0" /* uint64 */
           "\x41" "g" "\x01\x03\7" /* uint128 */
           "\x41" "h" "\x02\x04\x41x\x41y" /* array of two texts */
           "\x41" "i" "\x01\x07" /* true */
           "\x41" "j" "\x04\x08\0\0\0\0" /* float */
           "\x41" "k" "\xe1\x41x\xe1\x41y\x41z" /* map in map */
           "\x41" "l" "\x20\x00" /* pointer, not followed on the way */
           "\x41" "m" "\x5d\x00" "12345678901234567890123456789" /* text of 29 */
           "\x42" "cc" "\x42IT"), 0, CODE, GEO_RECORD_TEXT, "IT"},
    {"a record that is a pointer", BYTES("\x20\x02\xe1\x42" "cc" "\x42IT"),
     0, CODE, GEO_RECORD_TEXT, "IT"},
    {"a key that is a pointer", BYTES("\xe1\x20\x06\x42IT\x42" "cc"),
     0, CODE, GEO_RECORD_TEXT, "IT"},
    {"another key that is a pointer", BYTES("\xe1\x20\x06\x42IT\x42" "cd"),
     0, CODE, GEO_RECORD_LACKS, NULL},
    {"a value that is a pointer", BYTES("\xe1\x42" "cc" "\x20\x06\x42IT"),
     0, CODE, GEO_RECORD_TEXT, "IT"},
    {"a map behind a pointer", BYTES("\xe1\x47" "country\x20\x0b\xe1\x48iso_code\x42IT"),
     0, NESTED, GEO_RECORD_TEXT, "IT"},
    {"a pointer of 32 bits", BYTES("\xe1\x42" "cc" "\x38\0\0\0\x09\x42IT"),
     0, CODE, GEO_RECORD_TEXT, "IT"},

    {"the first of two items", BYTES("\xe1\x41s\x02\x04\xe1\x41" "c\x42" "CA\xe1\x41" "c\x41X"),
     0, FIRST, GEO_RECORD_TEXT, "CA"},
    {"the second", BYTES("\xe1\x41s\x02\x04\xe1\x41" "c\x42" "CA\xe1\x41" "c\x41X"),
     0, SECOND, GEO_RECORD_TEXT, "X"},
    {"there is no second", BYTES("\xe1\x41s\x01\x04\xe1\x41" "c\x42" "CA"),
     0, SECOND, GEO_RECORD_LACKS, NULL},
    {"an array without items", BYTES("\xe1\x41s\x00\x04"), 0, FIRST, GEO_RECORD_LACKS, NULL},
    {"an array behind a pointer", BYTES("\x20\x02\x02\x04\x41x\x41y"), 0, ITEM, GEO_RECORD_TEXT, "y"},
    {"a key where there are items", BYTES("\x02\x04\x41x\x41y"), 0, CODE, GEO_RECORD_LACKS, NULL},
    {"a map whose key is a digit", BYTES("\xe1\x41\x31\x41y"), 0, ITEM, GEO_RECORD_TEXT, "y"},
    {"an array cut short", BYTES("\x02\x04\x41x"), 0, ITEM, GEO_RECORD_BROKEN, NULL},

    {"another key", BYTES("\xe1\x42" "cd" "\x42IT"), 0, CODE, GEO_RECORD_LACKS, NULL},
    {"a longer key", BYTES("\xe1\x43" "ccc" "\x42IT"), 0, CODE, GEO_RECORD_LACKS, NULL},
    {"an empty map", BYTES("\xe0"), 0, CODE, GEO_RECORD_LACKS, NULL},
    {"a number there", BYTES("\xe1\x42" "cc" "\xa1\1"), 0, CODE, GEO_RECORD_LACKS, NULL},
    {"a map there", BYTES("\xe1\x42" "cc" "\xe0"), 0, CODE, GEO_RECORD_LACKS, NULL},
    {"no map at the top", BYTES("\x42IT"), 0, CODE, GEO_RECORD_LACKS, NULL},
    {"an array at the top", BYTES("\x01\x04\x42IT"), 0, CODE, GEO_RECORD_LACKS, NULL},
    {"a text where the path goes on", BYTES("\xe1\x47" "country\x42IT"),
     0, NESTED, GEO_RECORD_LACKS, NULL},
    {"a map that holds itself", BYTES("\xe1\x41" "a\x20\x00"), 0, CODE, GEO_RECORD_LACKS, NULL},

    {"nothing", BYTES(""), 0, TOP, GEO_RECORD_BROKEN, NULL},
    {"behind the end", BYTES("\x42IT"), 3, TOP, GEO_RECORD_BROKEN, NULL},
    {"far behind the end", BYTES("\x42IT"), SIZE_MAX, TOP, GEO_RECORD_BROKEN, NULL},
    {"a text cut short", BYTES("\x43IT"), 0, TOP, GEO_RECORD_BROKEN, NULL},
    {"a size cut short", BYTES("\x5e\x01"), 0, TOP, GEO_RECORD_BROKEN, NULL},
    {"an extended type cut short", BYTES("\x01"), 0, TOP, GEO_RECORD_BROKEN, NULL},
    {"a pointer cut short", BYTES("\x28\x01"), 0, TOP, GEO_RECORD_BROKEN, NULL},
    {"a pointer to nowhere", BYTES("\x27\xff"), 0, TOP, GEO_RECORD_BROKEN, NULL},
    {"a pointer far away", BYTES("\x38\xff\xff\xff\xff"), 0, TOP, GEO_RECORD_BROKEN, NULL},
    {"a pointer to itself", BYTES("\x20\x00"), 0, TOP, GEO_RECORD_BROKEN, NULL},
    {"a pointer to a pointer", BYTES("\x20\x02\x20\x04\x42IT"), 0, TOP, GEO_RECORD_BROKEN, NULL},
    {"a map with too few pairs", BYTES("\xe2\x42" "cd" "\x42IT"), 0, CODE, GEO_RECORD_BROKEN, NULL},
    {"a key without a value", BYTES("\xe1\x42" "cc"), 0, CODE, GEO_RECORD_BROKEN, NULL},
    {"a key that is no text", BYTES("\xe1\xa1\1\x42IT"), 0, CODE, GEO_RECORD_BROKEN, NULL},
    {"a double of another size", BYTES("\xe1\x41x\x67\0\0\0\0\0\0\0\x42" "cc" "\x42IT"),
     0, CODE, GEO_RECORD_BROKEN, NULL},
    {"a number too large for its type", BYTES("\xe1\x41x\xa3\1\2\3\x42" "cc" "\x42IT"),
     0, CODE, GEO_RECORD_BROKEN, NULL},
    {"a container", BYTES("\xe1\x41x\x00\x05\x42" "cc" "\x42IT"), 0, CODE, GEO_RECORD_BROKEN, NULL},
    {"an unknown type", BYTES("\xe1\x41x\x00\x63\x42" "cc" "\x42IT"),
     0, CODE, GEO_RECORD_BROKEN, NULL},
    {"an array as large as the format allows", BYTES("\xe1\x41x\x1f\x04\xff\xff\xff"),
     0, CODE, GEO_RECORD_BROKEN, NULL},
};
/* clang-format on */

START_TEST(finds_a_text)
{
    for (size_t i = 0; i < sizeof RECORDS / sizeof RECORDS[0]; i++) {
        /* A copy of just this size, so that a sanitizer sees each byte read behind it. */
        uint8_t *bytes = malloc(RECORDS[i].size + (RECORDS[i].size == 0));
        ck_assert_ptr_nonnull(bytes);
        memcpy(bytes, RECORDS[i].bytes, RECORDS[i].size);
        struct geo_record_section section = {bytes, RECORDS[i].size};
        struct geo_record_text found = {"untouched", 9};
        enum geo_record_outcome outcome =
            geo_record_find(&section, RECORDS[i].offset, RECORDS[i].path, &found);
        ck_assert_msg(outcome == RECORDS[i].outcome, "%s: %d", RECORDS[i].label, (int)outcome);
        const char *expected = outcome == GEO_RECORD_TEXT ? RECORDS[i].text : "untouched";
        ck_assert_msg(found.len == strlen(expected) && memcmp(found.text, expected, found.len) == 0,
                      "%s: %.*s", RECORDS[i].label, (int)found.len, found.text);
        free(bytes);
    }
}
END_TEST

/* Sizes of one, two and three bytes behind the control byte, and pointers of the first three sizes,
 * each at both ends of its range. */
static const struct {
    const char *label;
    size_t size;
    const char *head;
    size_t head_size;
} TEXT_SIZES[] = {
    {"28", 28, BYTES("\x5c")},
    {"29", 29, BYTES("\x5d\x00")},
    {"284", 284, BYTES("\x5d\xff")},
    {"285", 285, BYTES("\x5e\x00\x00")},
    {"65820", 65820, BYTES("\x5e\xff\xff")},
    {"65821", 65821, BYTES("\x5f\x00\x00\x00")},
    {"65822", 65822, BYTES("\x5f\x00\x00\x01")},
};

START_TEST(reads_sizes_of_every_length)
{
    for (size_t i = 0; i < sizeof TEXT_SIZES / sizeof TEXT_SIZES[0]; i++) {
        size_t size = TEXT_SIZES[i].head_size + TEXT_SIZES[i].size;
        uint8_t *bytes = calloc(size, 1);
        ck_assert_ptr_nonnull(bytes);
        memcpy(bytes, TEXT_SIZES[i].head, TEXT_SIZES[i].head_size);
        struct geo_record_section section = {bytes, size};
        struct geo_record_text found = {0};
        ck_assert_msg(geo_record_find(&section, 0, TOP, &found) == GEO_RECORD_TEXT, "%s",
                      TEXT_SIZES[i].label);
        ck_assert_uint_eq(found.len, TEXT_SIZES[i].size);
        section.size--;
        ck_assert_msg(geo_record_find(&section, 0, TOP, &found) == GEO_RECORD_BROKEN, "%s, cut",
                      TEXT_SIZES[i].label);
        free(bytes);
    }
}
END_TEST

static const struct {
    const char *label;
    size_t target;
    const char *pointer;
    size_t pointer_size;
} POINTERS[] = {
    {"11 bits, lowest", 5, BYTES("\x20\x05")},
    {"11 bits, highest", 2047, BYTES("\x27\xff")},
    {"19 bits, lowest", 2048, BYTES("\x28\x00\x00")},
    {"19 bits, highest", 526335, BYTES("\x2f\xff\xff")},
    {"27 bits, lowest", 526336, BYTES("\x30\x00\x00\x00")},
    {"27 bits, with all its parts", 526336 + 0x01020304, BYTES("\x31\x02\x03\x04")},
};

START_TEST(reads_pointers_of_every_length)
{
    for (size_t i = 0; i < sizeof POINTERS / sizeof POINTERS[0]; i++) {
        size_t size = POINTERS[i].target + 3;
        uint8_t *bytes = calloc(size, 1);
        ck_assert_ptr_nonnull(bytes);
        memcpy(bytes, POINTERS[i].pointer, POINTERS[i].pointer_size);
        memcpy(bytes + POINTERS[i].target, "\x42IT", 3);
        struct geo_record_section section = {bytes, size};
        struct geo_record_text found = {0};
        ck_assert_msg(geo_record_find(&section, 0, TOP, &found) == GEO_RECORD_TEXT, "%s",
                      POINTERS[i].label);
        ck_assert_mem_eq(found.text, "IT", 2);
        free(bytes);
    }
}
END_TEST

/* What makes a recursive reader run out of stack, and a patient one out of time. */
START_TEST(nested_arrays_do_not_recurse)
{
    size_t depth = 4000000;
    uint8_t *bytes = malloc(4 + 2 * depth);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, "\xe2\x41x", 3);
    for (size_t i = 0; i < depth; i++) {
        memcpy(bytes + 3 + 2 * i, "\x01\x04", 2); /* an array of one item */
    }
    bytes[3 + 2 * depth] = 0x40;
    struct geo_record_section section = {bytes, 4 + 2 * depth};
    struct geo_record_text found;
    ck_assert_int_eq(geo_record_find(&section, 0, CODE, &found), GEO_RECORD_BROKEN);
    free(bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("geo_record");
    TCase *tests = tcase_create("geo_record");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, finds_a_text);
    tcase_add_test(tests, reads_sizes_of_every_length);
    tcase_add_test(tests, reads_pointers_of_every_length);
    tcase_add_test(tests, nested_arrays_do_not_recurse);
    return suite_run(suite);
}
