/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Cursors at, before and behind the end of their bytes.
 */
#include "forwarder/wire/span.h"

#include <check.h>

#include "test/wire_notation.h"
#include "test/suite.h"

static const uint8_t TEN[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a};

START_TEST(reads_fields_in_network_order)
{
    struct span_reader reader = span_reader((struct span){TEN, sizeof TEN});
    ck_assert_uint_eq(span_read_u8(&reader), 0x01);
    ck_assert_uint_eq(span_read_u16(&reader), 0x0203);
    ck_assert_uint_eq(span_read_u32(&reader), 0x04050607);
    struct span rest = span_read(&reader, 3);
    ck_assert_ptr_eq(rest.bytes, TEN + 7);
    ck_assert_uint_eq(rest.size, 3);
    ck_assert_uint_eq(reader.at, sizeof TEN);
    ck_assert(!reader.failed);
}
END_TEST

START_TEST(reads_the_highest_values)
{
    static const uint8_t ONES[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct span_reader reader = span_reader((struct span){ONES, sizeof ONES});
    ck_assert_uint_eq(span_read_u8(&reader), UINT8_MAX);
    ck_assert_uint_eq(span_read_u16(&reader), UINT16_MAX);
    ck_assert_uint_eq(span_read_u32(&reader), UINT32_MAX);
    ck_assert(!reader.failed);
}
END_TEST

/* Each row reads skip octets of TEN, then something that does or does not fit. */
static const struct {
    const char *label;
    size_t skip;
    size_t size;
    bool fits;
} READS[] = {
    {"all at once", 0, 10, true},
    {"one too many", 0, 11, false},
    {"the last one", 9, 1, true},
    {"two, one left", 9, 2, false},
    {"nothing, at the end", 10, 0, true},
    {"one, at the end", 10, 1, false},
    {"a size that would wrap around", 9, SIZE_MAX, false},
    {"a size that would wrap to the start", 10, SIZE_MAX - 9, false},
};

START_TEST(reads_only_what_is_there)
{
    for (size_t i = 0; i < sizeof READS / sizeof READS[0]; i++) {
        struct span_reader reader = span_reader((struct span){TEN, sizeof TEN});
        span_read(&reader, READS[i].skip);
        struct span run = span_read(&reader, READS[i].size);
        ck_assert_msg(reader.failed != READS[i].fits, "%s", READS[i].label);
        ck_assert_msg(run.size == (READS[i].fits ? READS[i].size : 0), "%s", READS[i].label);
    }
}
END_TEST

START_TEST(reads_zero_after_a_failure)
{
    struct span_reader reader = span_reader((struct span){TEN, sizeof TEN});
    span_read(&reader, 8);
    ck_assert_uint_eq(span_read_u32(&reader), 0);
    ck_assert(reader.failed);
    /* Two octets are left, but a field before them is missing. */
    ck_assert_uint_eq(span_read_u8(&reader), 0);
    ck_assert_uint_eq(span_read_u16(&reader), 0);
    ck_assert_uint_eq(span_read(&reader, 2).size, 0);
    ck_assert_uint_eq(reader.at, 8);
}
END_TEST

START_TEST(reads_and_writes_nothing_without_bytes)
{
    struct span_reader reader = span_reader((struct span){0});
    ck_assert_uint_eq(span_read(&reader, 0).size, 0);
    ck_assert(!reader.failed);
    ck_assert_uint_eq(span_read_u8(&reader), 0);
    ck_assert(reader.failed);

    struct span_writer writer = span_writer(NULL, 0);
    span_write(&writer, (struct span){0});
    ck_assert(!writer.failed);
    span_write_u8(&writer, 1);
    ck_assert(writer.failed);
}
END_TEST

START_TEST(writes_fields_in_network_order)
{
    uint8_t bytes[10];
    struct span_writer writer = span_writer(bytes, sizeof bytes);
    span_write_u8(&writer, 0x01);
    span_write_u16(&writer, 0x0203);
    span_write_u32(&writer, 0x04050607);
    span_write(&writer, (struct span){TEN + 7, 3});
    ck_assert(!writer.failed);
    ck_assert(wire_equal((struct span){bytes, writer.size}, (struct span){TEN, sizeof TEN}));
}
END_TEST

START_TEST(writes_no_part_of_what_does_not_fit)
{
    uint8_t bytes[4] = {0xee, 0xee, 0xee, 0xee};
    struct span_writer writer = span_writer(bytes, 3);
    span_write_u16(&writer, 0x0102);
    span_write_u16(&writer, 0x0304);
    ck_assert(writer.failed);
    /* It would fit, but would stand in the place of what did not. */
    span_write_u8(&writer, 0x05);
    ck_assert_uint_eq(writer.size, 2);
    ck_assert_mem_eq(bytes, "\x01\x02\xee\xee", 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("span");
    TCase *tcase = tcase_create("span");
    tcase_add_test(tcase, reads_fields_in_network_order);
    tcase_add_test(tcase, reads_the_highest_values);
    tcase_add_test(tcase, reads_only_what_is_there);
    tcase_add_test(tcase, reads_zero_after_a_failure);
    tcase_add_test(tcase, reads_and_writes_nothing_without_bytes);
    tcase_add_test(tcase, writes_fields_in_network_order);
    tcase_add_test(tcase, writes_no_part_of_what_does_not_fit);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
