/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The question that is asked for the target of a CNAME. What becomes of its answer is tested with
 * whole answers, by check_query_answer.c.
 */
#include "forwarder/cname_target.h"

#include <check.h>
#include <string.h>

#include "policy/order_action.h"
#include "test/wire_notation.h"
#include "test/suite.h"

#define NAME "03'www'03'bad'04'test'00"
#define QUERY(flags, arcount, type, class) "abcd" flags "0001 0000 0000" arcount NAME type class
#define TARGET(flags, arcount, type) \
    "0000" flags "0001 0000 0000" arcount "04'page'04'test'00" type "0001"

/* NULL: nothing is asked. */
static const struct {
    const char *label;
    const char *query;
    const char *asked;
} QUERIES[] = {
    {"A", QUERY("0100", "0000", "0001", "0001"), TARGET("0100", "0000", "0001")},
    {"HTTPS", QUERY("0100", "0000", "0041", "0001"), TARGET("0100", "0000", "0041")},
    {"without RD", QUERY("0000", "0000", "0001", "0001"), TARGET("0100", "0000", "0001")},
    {"all flags", QUERY("07ff", "0000", "0001", "0001"), TARGET("0110", "0000", "0001")},
    {"class ANY", QUERY("0100", "0000", "0001", "00ff"), TARGET("0100", "0000", "0001")},
    {"with OPT", QUERY("0100", "0001", "0001", "0001") "00 0029 1000 00000000 0000",
     TARGET("0100", "0001", "0001") "00 0029 04d0 00000000 0000"},
    {"with DO and options",
     QUERY("0100", "0001", "0001", "0001") "00 0029 1000 0000ffff 0006 000c 0002 0000",
     TARGET("0100", "0001", "0001") "00 0029 04d0 00008000 0000"},
    {"an unknown type", QUERY("0100", "0000", "ff00", "0001"), TARGET("0100", "0000", "ff00")},
    {"the last type before those of questions", QUERY("0100", "0000", "007f", "0001"),
     TARGET("0100", "0000", "007f")},
    {"the first behind them", QUERY("0100", "0000", "0100", "0001"),
     TARGET("0100", "0000", "0100")},

    {"CNAME", QUERY("0100", "0000", "0005", "0001"), NULL},
    {"ANY", QUERY("0100", "0000", "00ff", "0001"), NULL},
    {"AXFR", QUERY("0100", "0000", "00fc", "0001"), NULL},
    {"IXFR", QUERY("0100", "0000", "00fb", "0001"), NULL},
    {"the first type of questions", QUERY("0100", "0000", "0080", "0001"), NULL},
    {"class CH", QUERY("0100", "0000", "0001", "0003"), NULL},
    {"no question", "abcd 0100 0000 0000 0000 0000", NULL},
    {"no header", "abcd", NULL},
};

START_TEST(targets_are_asked_for)
{
    static const uint8_t wire[] = "\4page\4test";
    uint8_t bytes[2][WIRE_NOTATION_MAX];
    uint8_t out[CNAME_TARGET_QUERY_MAX];
    struct dname target;
    ck_assert(dname_decode(wire, sizeof wire, &target));
    size_t size = cname_target_query(wire_parse(QUERIES[_i].query, bytes[0]), &target, out);
    if (QUERIES[_i].asked == NULL) {
        ck_assert_msg(size == 0, "%s", QUERIES[_i].label);
        return;
    }
    struct span expected = wire_parse(QUERIES[_i].asked, bytes[1]);
    ck_assert_msg(wire_equal((struct span){out, size}, expected), "%s", QUERIES[_i].label);
}
END_TEST

START_TEST(wildcards_take_the_qname_in)
{
    static const struct {
        const char *target;
        const char *qname;
        const char *name; /* NULL: too long */
    } rows[] = {
        {"04'page'04'test'00", "01'a'00", "04'page'04'test'00"},
        {"01'*'04'test'00", "03'www'01'a'00", "03'www'01'a'04'test'00"},
        {"01'*'04'test'00", "00", "04'test'00"},
        {"01'*'04'test'00", "01'*'00", "01'*'04'test'00"},
        {"01'*'00", "01'a'00", "01'*'00"},
        {"02'*a'04'test'00", "01'a'00", "02'*a'04'test'00"},
        {"01'a'01'*'04'test'00", "01'b'00", "01'a'01'*'04'test'00"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        uint8_t bytes[3][WIRE_NOTATION_MAX];
        struct span wire[3] = {wire_parse(rows[i].target, bytes[0]),
                               wire_parse(rows[i].qname, bytes[1]),
                               wire_parse(rows[i].name, bytes[2])};
        struct dname target, qname, out;
        ck_assert(dname_decode(wire[0].bytes, wire[0].size, &target));
        ck_assert(dname_decode(wire[1].bytes, wire[1].size, &qname));
        ck_assert(order_action_target(&target, &qname, &out));
        ck_assert_msg(wire_equal((struct span){out.wire, out.size}, wire[2]), "row %zu", i);
    }
}
END_TEST

/* The longest qname that still fits, and one more octet, for which nothing is asked. */
START_TEST(a_wildcard_can_become_too_long)
{
    static const uint8_t wildcard[] = "\1*\4test";
    struct dname target, qname, out;
    ck_assert(dname_decode(wildcard, sizeof wildcard, &target));
    for (unsigned last = 56; last <= 57; last++) { /* 255 octets in all, and 256 */
        uint8_t message[DNS_HEADER_SIZE + DNS_QUESTION_MAX] = {0};
        uint8_t own[CNAME_TARGET_QUERY_MAX];
        struct span_writer writer = span_writer(message, sizeof message);
        span_write_u16(&writer, 0);
        span_write_u16(&writer, DNS_FLAG_RD);
        span_write_u16(&writer, 1);
        span_write(&writer, (struct span){(const uint8_t[6]){0}, 6});
        for (unsigned label = 0; label < 4; label++) {
            uint8_t octets[64] = {(uint8_t)(label < 3 ? 63 : last)};
            memset(octets + 1, 'a', sizeof octets - 1);
            span_write(&writer, (struct span){octets, octets[0] + 1U});
        }
        span_write(&writer, (struct span){(const uint8_t[5]){0, 0, 1, 0, 1}, 5});
        size_t size = writer.size - DNS_HEADER_SIZE - 4;
        bool fits = size - 1 + target.size - 2 <= DNAME_MAX;
        ck_assert(dname_decode(message + DNS_HEADER_SIZE, size, &qname));
        ck_assert(order_action_target(&target, &qname, &out) == fits);
        ck_assert(fits == (last == 56));
        size_t asked = cname_target_query((struct span){message, writer.size}, &target, own);
        ck_assert((asked > 0) == fits);
    }
}
END_TEST

/* Names that come compressed go in full: too many of them fit no message. */
START_TEST(what_has_no_room_is_no_answer)
{
    static uint8_t bytes[DNS_MESSAGE_MAX];
    static uint8_t room[DNS_MESSAGE_MAX];
    uint8_t part[WIRE_NOTATION_MAX];
    struct span_writer writer = span_writer(bytes, sizeof bytes);
    struct dname qname = {.size = 1};
    struct block_tail tail;
    span_write(&writer,
               wire_parse("1234 8180 0001 07d0 0000 0000 1e'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'"
                          "00 0002 0001",
                          part));
    for (unsigned i = 0; i < 2000; i++) {
        span_write(&writer, wire_parse("c00c 0002 0001 0000003c 0002 c00c", part));
    }
    ck_assert(!writer.failed);
    struct span_writer out = span_writer(room, sizeof room);
    ck_assert(!cname_target_read((struct span){bytes, writer.size}, &qname, &out, &tail));
    bytes[6] = 1; /* 464 of them do */
    out = span_writer(room, sizeof room);
    ck_assert(cname_target_read((struct span){bytes, writer.size}, &qname, &out, &tail));
    ck_assert_uint_eq(tail.answer_count, 464);
    ck_assert_uint_eq(tail.answer.size, 464 * (32 + 10 + 32));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cname_target");
    TCase *tcase = tcase_create("cname_target");
    tcase_add_loop_test(tcase, targets_are_asked_for, 0, (int)ROWS(QUERIES));
    tcase_add_test(tcase, wildcards_take_the_qname_in);
    tcase_add_test(tcase, a_wildcard_can_become_too_long);
    tcase_add_test(tcase, what_has_no_room_is_no_answer);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
