/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Fields of Protocol Buffers, octet by octet and back; hostile ones; and what does not fit.
 */
#include "forwarder/wire/protobuf.h"

#include <check.h>

#include "test/wire_notation.h"
#include "test/suite.h"

static uint8_t room[PROTOBUF_NESTED_MAX + 64];

static void expect(const struct span_writer *writer, const char *octets)
{
    uint8_t expected[WIRE_NOTATION_MAX];
    struct span wanted = wire_parse(octets, expected);
    ck_assert(!writer->failed);
    ck_assert_uint_eq(writer->size, wanted.size);
    ck_assert_mem_eq(writer->bytes, wanted.bytes, wanted.size);
}

START_TEST(fields_are_written)
{
    struct span_writer writer = span_writer(room, sizeof room);
    protobuf_write_varint(&writer, 1, 0);
    protobuf_write_varint(&writer, 15, 300);
    protobuf_write_varint(&writer, 16, UINT64_MAX);
    protobuf_write_32_bits(&writer, 9, 0x01020304);
    protobuf_write_octets(&writer, 2, (struct span){(const uint8_t *)"ab", 2});
    protobuf_write_octets(&writer, 3, (struct span){0});
    expect(&writer, "0800 78ac02 8001ffffffffffffffffff01 4d04030201 1202'ab' 1a00");
}
END_TEST

/* A message within a message, of each size at which its length takes another octet. */
START_TEST(messages_are_nested)
{
    static const size_t sizes[] = {0, 1, 124, 125, 126, 127, 16379, 16380, 16381, 2097146, 2097147};
    static uint8_t filler[PROTOBUF_NESTED_MAX];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct span_writer writer = span_writer(room, sizeof room);
        struct protobuf_field outer, inner;
        size_t begun = protobuf_write_begin(&writer, 14);
        protobuf_write_octets(&writer, 1, (struct span){filler, sizes[i]});
        protobuf_write_end(&writer, begun);
        protobuf_write_varint(&writer, 15, 1);
        ck_assert(!writer.failed);
        struct span_reader reader = span_reader((struct span){room, writer.size});
        ck_assert(protobuf_read(&reader, &outer));
        ck_assert_uint_eq(outer.number, 14);
        struct span_reader within = span_reader(outer.octets);
        ck_assert(protobuf_read(&within, &inner));
        ck_assert_uint_eq(inner.octets.size, sizes[i]);
        ck_assert(!protobuf_read(&within, &inner) && !within.failed);
        ck_assert(protobuf_read(&reader, &outer));
        ck_assert_uint_eq(outer.value, 1);
        ck_assert(!protobuf_read(&reader, &outer) && !reader.failed);
    }
}
END_TEST

START_TEST(what_does_not_fit_fails)
{
    static const uint8_t filler[PROTOBUF_NESTED_MAX];
    struct span_writer writer = span_writer(room, sizeof room);
    size_t begun = protobuf_write_begin(&writer, 1);
    protobuf_write_octets(&writer, 1, (struct span){filler, sizeof filler});
    protobuf_write_end(&writer, begun);
    ck_assert(writer.failed);
    for (size_t size = 0; size < 8; size++) {
        writer = span_writer(room, size);
        begun = protobuf_write_begin(&writer, 1);
        protobuf_write_octets(&writer, 1, (struct span){filler, 3});
        protobuf_write_end(&writer, begun);
        ck_assert(writer.failed);
    }
}
END_TEST

static const char *const BROKEN[] = {
    "08",                        /* no value */
    "08 80",                     /* a cut varint */
    "08 ffffffffffffffffffff01", /* a long one */
    "09 00",                     /* 64 bits, cut */
    "0d 000000",                 /* 32 bits, cut */
    "0a 02 00",                  /* octets, cut */
    "0a ffffffffffffffffff01",   /* more than there ever are */
    "0b",                        /* groups are no more */
    "0e 00",                     /* no such encoding */
};

START_TEST(broken_fields_fail)
{
    uint8_t octets[WIRE_NOTATION_MAX];
    struct protobuf_field field;
    struct span_reader reader = span_reader(wire_parse(BROKEN[_i], octets));
    ck_assert(!protobuf_read(&reader, &field));
    ck_assert_msg(reader.failed, "%s", BROKEN[_i]);
    ck_assert(!protobuf_read(&reader, &field));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("protobuf");
    TCase *cases = tcase_create("protobuf");
    tcase_add_test(cases, fields_are_written);
    tcase_add_test(cases, messages_are_nested);
    tcase_add_test(cases, what_does_not_fit_fails);
    tcase_add_loop_test(cases, broken_fields_fail, 0, sizeof BROKEN / sizeof BROKEN[0]);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
