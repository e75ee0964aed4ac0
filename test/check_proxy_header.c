/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * PROXY headers as they come: whole, cut at each octet, and wrong; and those that Bailiwick writes,
 * read back.
 */
#include "forwarder/wire/proxy_header.h"

#include <check.h>

#include "test/wire_notation.h"
#include "test/suite.h"

#define SIGNATURE "0d0a0d0a 00 0d0a'QUIT'0a"
#define ENDS4 "02200001 c0000235 1092 0035"
#define ENDS6 "20010b07000000000000000000000001 20010db8000000000000000000000053 1092 0035"
#define ZEROS8 "0000000000000000"
#define ZEROS108                                                                               \
    ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 ZEROS8 \
        "00000000"
#define IPV4 "00000000 00000000 0000ffff "

/* source: of PROXY_HEADER_CLIENT, its 16 octets. */
static const struct {
    const char *label;
    const char *bytes;
    enum proxy_header_outcome outcome;
    enum proxy_header_kind kind;
    size_t size;
    const char *source;
} HEADERS[] = {
    {"IPv4, a datagram", SIGNATURE "21 12 000c" ENDS4, PROXY_HEADER_WHOLE, PROXY_HEADER_CLIENT, 28,
     IPV4 "02200001"},
    {"IPv4, a stream", SIGNATURE "21 11 000c" ENDS4 "ffff", PROXY_HEADER_WHOLE, PROXY_HEADER_CLIENT,
     28, IPV4 "02200001"},
    {"IPv6", SIGNATURE "21 21 0024" ENDS6, PROXY_HEADER_WHOLE, PROXY_HEADER_CLIENT, 52,
     "20010b07000000000000000000000001"},
    {"TLVs", SIGNATURE "21 11 0014" ENDS4 "04 0000 e0 0002 abcd", PROXY_HEADER_WHOLE,
     PROXY_HEADER_CLIENT, 36, IPV4 "02200001"},
    {"a checksum", SIGNATURE "21 11 0013" ENDS4 "03 0004 16599ccd", PROXY_HEADER_WHOLE,
     PROXY_HEADER_CLIENT, 35, IPV4 "02200001"},
    {"another checksum", SIGNATURE "21 11 0013" ENDS4 "03 0004 16599ccc", PROXY_HEADER_BAD, 0, 0,
     NULL},
    {"a checksum of 3", SIGNATURE "21 11 0012" ENDS4 "03 0003 16599c", PROXY_HEADER_BAD, 0, 0,
     NULL},
    {"LOCAL", SIGNATURE "20 00 0000", PROXY_HEADER_WHOLE, PROXY_HEADER_LOCAL, 16, NULL},
    {"LOCAL with addresses", SIGNATURE "20 11 000c" ENDS4, PROXY_HEADER_WHOLE, PROXY_HEADER_LOCAL,
     28, NULL},
    {"LOCAL of no family", SIGNATURE "20 ff 0003 ffffff", PROXY_HEADER_WHOLE, PROXY_HEADER_LOCAL,
     19, NULL},
    {"UNSPEC", SIGNATURE "21 00 0000", PROXY_HEADER_WHOLE, PROXY_HEADER_UNKNOWN, 16, NULL},
    {"UNSPEC with anything", SIGNATURE "21 00 0002 0102", PROXY_HEADER_WHOLE, PROXY_HEADER_UNKNOWN,
     18, NULL},
    {"IPv4 of no transport", SIGNATURE "21 10 000c" ENDS4, PROXY_HEADER_WHOLE, PROXY_HEADER_UNKNOWN,
     28, NULL},
    {"AF_UNIX", SIGNATURE "21 31 00d8" ZEROS108 ZEROS108, PROXY_HEADER_WHOLE, PROXY_HEADER_UNKNOWN,
     232, NULL},
    {"AF_UNIX cut", SIGNATURE "21 31 006c" ZEROS108, PROXY_HEADER_BAD, 0, 0, NULL},

    {"nothing", "", PROXY_HEADER_SHORT, 0, 0, NULL},
    {"one octet", "0d", PROXY_HEADER_SHORT, 0, 0, NULL},
    {"another octet", "0a", PROXY_HEADER_BAD, 0, 0, NULL},
    {"a signature that goes wrong", "0d0a0d0a 00 0d0a'QUIX'", PROXY_HEADER_BAD, 0, 0, NULL},
    {"version 1", "'PROXY TCP4 '", PROXY_HEADER_BAD, 0, 0, NULL},
    {"version 1 of the binary form", SIGNATURE "11 11 000c" ENDS4, PROXY_HEADER_BAD, 0, 0, NULL},
    {"version 3", SIGNATURE "31 11 000c" ENDS4, PROXY_HEADER_BAD, 0, 0, NULL},
    {"command 2", SIGNATURE "22 11 000c" ENDS4, PROXY_HEADER_BAD, 0, 0, NULL},
    {"family 4", SIGNATURE "21 41 000c" ENDS4, PROXY_HEADER_BAD, 0, 0, NULL},
    {"transport 3", SIGNATURE "21 13 000c" ENDS4, PROXY_HEADER_BAD, 0, 0, NULL},
    {"no room for a port", SIGNATURE "21 11 000b" ENDS4, PROXY_HEADER_BAD, 0, 0, NULL},
    {"IPv6 of IPv4's length", SIGNATURE "21 21 000c" ENDS4, PROXY_HEADER_BAD, 0, 0, NULL},
    {"a type without a length", SIGNATURE "21 11 000d" ENDS4 "04", PROXY_HEADER_BAD, 0, 0, NULL},
    {"a TLV beyond the length", SIGNATURE "21 11 0010" ENDS4 "04 0002 abcd", PROXY_HEADER_BAD, 0, 0,
     NULL},
    {"the longest, yet to come", SIGNATURE "21 11 0200" ENDS4, PROXY_HEADER_SHORT, 0, 0, NULL},
    {"one longer", SIGNATURE "21 11 0201", PROXY_HEADER_BAD, 0, 0, NULL},
    {"LOCAL, too long", SIGNATURE "20 00 ffff", PROXY_HEADER_BAD, 0, 0, NULL},
};

START_TEST(headers_are_read)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    uint8_t octets[WIRE_NOTATION_MAX];
    const char *source = HEADERS[_i].source;
    struct proxy_header header;
    struct span given = wire_parse(HEADERS[_i].bytes, bytes);
    enum proxy_header_outcome outcome = proxy_header_decode(given, &header);
    ck_assert_msg(outcome == HEADERS[_i].outcome, "%s: %d", HEADERS[_i].label, (int)outcome);
    if (outcome != PROXY_HEADER_WHOLE) {
        return;
    }
    ck_assert_msg(header.kind == HEADERS[_i].kind, "%s: %d", HEADERS[_i].label, (int)header.kind);
    ck_assert_uint_eq(header.size, HEADERS[_i].size);
    if (source != NULL) {
        struct span expected = wire_parse(source, octets);
        ck_assert_mem_eq(header.source.octet, expected.bytes, expected.size);
        ck_assert_uint_eq(header.source.port, 4242);
        ck_assert_uint_eq(header.destination.port, 53);
    }
    /* Every part of it is too short, and says how much more it takes: never behind its end. */
    for (size_t size = 0; size < header.size; size++) {
        struct span part = {given.bytes, size};
        struct proxy_header unused;
        ck_assert_int_eq(proxy_header_decode(part, &unused), PROXY_HEADER_SHORT);
        size_t need = proxy_header_need(part);
        ck_assert_uint_eq(need, size < PROXY_HEADER_FIXED ? PROXY_HEADER_FIXED : header.size);
    }
}
END_TEST

START_TEST(what_is_written_reads_back)
{
    static const struct {
        const char *source;
        const char *destination;
        size_t size;
    } ROWS_OF_ENDS[] = {
        {IPV4 "02200001", IPV4 "c0000235", 28},
        {"20010b07000000000000000000000001", "20010db8000000000000000000000053", 52},
        {IPV4 "02200001", "20010db8000000000000000000000053", 52},
        {"20010b07000000000000000000000001", IPV4 "c0000235", 52},
    };
    for (size_t i = 0; i < ROWS(ROWS_OF_ENDS); i++) {
        uint8_t bytes[WIRE_NOTATION_MAX];
        uint8_t out[PROXY_HEADER_ENCODED_MAX];
        struct proxy_header_end source = {.port = 65535};
        struct proxy_header_end destination = {.port = 1};
        struct proxy_header back;
        memcpy(source.octet, wire_parse(ROWS_OF_ENDS[i].source, bytes).bytes, 16);
        memcpy(destination.octet, wire_parse(ROWS_OF_ENDS[i].destination, bytes).bytes, 16);
        size_t size = proxy_header_encode(PROXY_HEADER_DATAGRAM, &source, &destination, out);
        ck_assert_uint_eq(size, ROWS_OF_ENDS[i].size);
        ck_assert_int_eq(proxy_header_decode((struct span){out, size}, &back), PROXY_HEADER_WHOLE);
        ck_assert_int_eq(back.kind, PROXY_HEADER_CLIENT);
        ck_assert_uint_eq(back.size, size);
        ck_assert_mem_eq(back.source.octet, source.octet, 16);
        ck_assert_mem_eq(back.destination.octet, destination.octet, 16);
        ck_assert_uint_eq(back.source.port, 65535);
        ck_assert_uint_eq(back.destination.port, 1);
    }
}
END_TEST

START_TEST(it_is_written_to_the_octet)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    uint8_t out[PROXY_HEADER_ENCODED_MAX];
    struct proxy_header header;
    struct span expected = wire_parse(SIGNATURE "21 11 000c" ENDS4, bytes);
    ck_assert_int_eq(proxy_header_decode(expected, &header), PROXY_HEADER_WHOLE);
    size_t size =
        proxy_header_encode(PROXY_HEADER_STREAM, &header.source, &header.destination, out);
    ck_assert(wire_equal((struct span){out, size}, expected));
    expected = wire_parse(SIGNATURE "20 00 0000", bytes);
    size = proxy_header_encode_local(out);
    ck_assert(wire_equal((struct span){out, size}, expected));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proxy_header");
    TCase *tcase = tcase_create("proxy_header");
    tcase_add_loop_test(tcase, headers_are_read, 0, (int)ROWS(HEADERS));
    tcase_add_test(tcase, what_is_written_reads_back);
    tcase_add_test(tcase, it_is_written_to_the_octet);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
