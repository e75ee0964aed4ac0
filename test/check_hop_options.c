/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Keepalive and padding: what is taken out of queries, what is put into answers, and what is left
 * as it came. Messages lie at the end of their memory, so that the sanitizers see a read past it.
 */
#include "forwarder/stream/hop_options.h"

#include <check.h>
#include <stdlib.h>

#include "test/wire_notation.h"
#include "test/suite.h"

#define IDLE_MS 30000
#define BIG 65535

/* A query and an answer; the counts of the sections follow. The question's name is at 000c. */
#define QUERY(counts) "1234 0100 0001" counts QUESTION
#define ANSWER(counts) "1234 8180 0001" counts QUESTION
#define QUESTION "01'a'07'example'00 0001 0001"
#define OPT(size) "00 0029 04d0 00008000" size
#define A_RECORD "c00c 0001 0001 0000003c 0004 c0000201"
#define COOKIE "000a 0008 0102030405060708"
#define PADDING "000c 0003 000000"
#define KEEPALIVE "000b 0000"
#define TSIG "00 00fa 00ff 00000000 0000"

static uint8_t *exactly(const char *text, size_t *size)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct span parsed = wire_parse(text, bytes);
    uint8_t *copy = malloc(parsed.size + 1); /* none has no octets */
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, parsed.bytes, parsed.size);
    *size = parsed.size;
    return realloc(copy, parsed.size == 0 ? 1 : parsed.size);
}

/* ---- Taking ---- */

/* seen: o an OPT, p padding, k keepalive. expected NULL: the same octets. */
static const struct {
    const char *label;
    const char *query;
    const char *expected;
    const char *seen;
} QUERIES[] = {
    {"no OPT", QUERY("0000 0000 0000"), NULL, ""},
    {"an OPT without options", QUERY("0000 0000 0001") OPT("0000"), NULL, "o"},
    {"another option", QUERY("0000 0000 0001") OPT("000c") COOKIE, NULL, "o"},
    {"padding alone", QUERY("0000 0000 0001") OPT("0007") PADDING,
     QUERY("0000 0000 0001") OPT("0000"), "op"},
    {"empty padding", QUERY("0000 0000 0001") OPT("0004") "000c 0000",
     QUERY("0000 0000 0001") OPT("0000"), "op"},
    {"keepalive alone", QUERY("0000 0000 0001") OPT("0004") KEEPALIVE,
     QUERY("0000 0000 0001") OPT("0000"), "ok"},
    {"keepalive with a time, which no query has",
     QUERY("0000 0000 0001") OPT("0006") "000b 0002 0064", QUERY("0000 0000 0001") OPT("0000"),
     "ok"},
    {"both about another", QUERY("0000 0000 0001") OPT("0017") KEEPALIVE COOKIE PADDING,
     QUERY("0000 0000 0001") OPT("000c") COOKIE, "opk"},
    {"between two others", QUERY("0000 0000 0001") OPT("001f") COOKIE PADDING COOKIE,
     QUERY("0000 0000 0001") OPT("0018") COOKIE COOKIE, "op"},
    {"twice", QUERY("0000 0000 0001") OPT("000e") PADDING PADDING,
     QUERY("0000 0000 0001") OPT("0000"), "op"},
    {"octets behind the message stay", QUERY("0000 0000 0001") OPT("0007") PADDING "abcdef",
     QUERY("0000 0000 0001") OPT("0000") "abcdef", "op"},
    {"records before the OPT", QUERY("0001 0000 0002") A_RECORD A_RECORD OPT("0007") PADDING,
     QUERY("0001 0000 0002") A_RECORD A_RECORD OPT("0000"), "op"},
    {"a record behind it that may move", QUERY("0000 0000 0002") OPT("0007") PADDING A_RECORD,
     QUERY("0000 0000 0002") OPT("0000") A_RECORD, "op"},
    {"one with a name of its own",
     QUERY("0000 0000 0002") OPT("0007") PADDING "01'b'00 001c 0001 0000003c 0000",
     QUERY("0000 0000 0002") OPT("0000") "01'b'00 001c 0001 0000003c 0000", "op"},
    {"no question", "1234 0100 0000 0000 0000 0001" OPT("0007") PADDING,
     "1234 0100 0000 0000 0000 0001" OPT("0000"), "op"},
    {"two questions", "1234 0100 0002 0000 0000 0001" QUESTION QUESTION OPT("0007") PADDING,
     "1234 0100 0002 0000 0000 0001" QUESTION QUESTION OPT("0000"), "op"},
    {"a later version", QUERY("0000 0000 0001") "00 0029 04d0 00010000 0007" PADDING,
     QUERY("0000 0000 0001") "00 0029 04d0 00010000 0000", "op"},

    {"two OPTs", QUERY("0000 0000 0002") OPT("0007") PADDING OPT("0007") PADDING, NULL, ""},
    {"a second OPT among the answers", QUERY("0001 0000 0001") OPT("0000") OPT("0007") PADDING,
     NULL, ""},
    {"an OPT with an owner", QUERY("0000 0000 0001") "c00c 0029 04d0 00008000 0007" PADDING, NULL,
     ""},
    {"an OPT in AUTHORITY", QUERY("0000 0001 0000") OPT("0007") PADDING, NULL, ""},
    {"signed by TSIG", QUERY("0000 0000 0002") OPT("0007") PADDING TSIG, NULL, ""},
    {"signed by SIG(0)", QUERY("0000 0000 0002") OPT("0007") PADDING "00 0018 00ff 00000000 0000",
     NULL, ""},
    {"a record behind it with a name in its RDATA",
     QUERY("0000 0000 0002") OPT("0007") PADDING "c00c 0002 0001 0000003c 0002 c00c", NULL, ""},
    {"one that points behind the OPT",
     QUERY("0000 0000 0003") OPT("0007") PADDING "01'b'00 0001 0001 0000003c 0000"
                                                 "c02d 0001 0001 0000003c 0000",
     NULL, ""},
    {"an option longer than the OPT", QUERY("0000 0000 0001") OPT("0007") "000c 0004 000000", NULL,
     ""},
    {"an option without a length", QUERY("0000 0000 0001") OPT("000a") PADDING "000a 00", NULL, ""},
    {"an OPT that is cut", QUERY("0000 0000 0001") OPT("0008") PADDING, NULL, ""},
    {"fewer records than counted", QUERY("0000 0000 0002") OPT("0007") PADDING, NULL, ""},
    {"no header", "1234 0100 0001", NULL, ""},
    {"nothing", "", NULL, ""},
};

START_TEST(options_are_taken)
{
    uint8_t memory[WIRE_NOTATION_MAX];
    const char *seen = QUERIES[_i].seen;
    struct origin_hop hop = {true, true, true};
    size_t size;
    uint8_t *query = exactly(QUERIES[_i].query, &size);
    struct span expected =
        wire_parse(QUERIES[_i].expected == NULL ? QUERIES[_i].query : QUERIES[_i].expected, memory);
    size = hop_options_take(query, size, &hop);
    ck_assert_msg(wire_equal((struct span){query, size}, expected), "%s", QUERIES[_i].label);
    ck_assert_msg(hop.opt == (strchr(seen, 'o') != NULL), "%s: OPT", QUERIES[_i].label);
    ck_assert_msg(hop.padding == (strchr(seen, 'p') != NULL), "%s: padding", QUERIES[_i].label);
    ck_assert_msg(hop.keepalive == (strchr(seen, 'k') != NULL), "%s: keepalive", QUERIES[_i].label);
    free(query);
}
END_TEST

/* ---- Putting ---- */

#define TOLD "000b 0002 012c" /* 300 tenths of a second */

/* asked: as above. padded: by so many octets of zero behind expected; 0: not. expected NULL: the
 * answer goes as it is. */
static const struct {
    const char *label;
    const char *answer;
    const char *asked;
    const char *expected;
    unsigned padded;
} ANSWERS[] = {
    {"nothing was asked for", ANSWER("0000 0000 0001") OPT("0000"), "o", NULL, 0},
    {"no OPT in the query", ANSWER("0000 0000 0001") OPT("0007") PADDING, "", NULL, 0},
    {"no OPT in the answer, and no padding asked for", ANSWER("0001 0000 0000") A_RECORD, "ok",
     NULL, 0},
    {"no OPT in the answer", ANSWER("0001 0000 0000") A_RECORD, "opk",
     ANSWER("0001 0000 0001") A_RECORD "00 0029 04d0 00 00 0000 019e" TOLD "000c 0194", 404},
    {"no OPT in an answer that says it does not know EDNS",
     "1234 8181 0001 0000 0000 0000"
     "03 777777 00 0001 0001",
     "op", NULL, 0},
    {"no OPT in a signed answer", ANSWER("0000 0000 0001") TSIG, "op", NULL, 0},
    {"keepalive", ANSWER("0001 0000 0001") A_RECORD OPT("0000"), "ok",
     ANSWER("0001 0000 0001") A_RECORD OPT("0006") TOLD, 0},
    {"behind other options", ANSWER("0000 0000 0001") OPT("000c") COOKIE, "ok",
     ANSWER("0000 0000 0001") OPT("0012") COOKIE TOLD, 0},
    {"padding", ANSWER("0000 0000 0001") OPT("0000"), "op",
     ANSWER("0000 0000 0001") OPT("01ae") "000c 01aa", 426},
    {"both", ANSWER("0000 0000 0001") OPT("0000"), "opk",
     ANSWER("0000 0000 0001") OPT("01ae") TOLD "000c 01a4", 420},
    {"what upstream says of its own hop is replaced",
     ANSWER("0000 0000 0001") OPT("0019") "000b 0002 ffff" COOKIE PADDING, "ok",
     ANSWER("0000 0000 0001") OPT("0012") COOKIE TOLD, 0},
    {"or removed", ANSWER("0000 0000 0001") OPT("000d") "000b 0002 ffff" PADDING, "o",
     ANSWER("0000 0000 0001") OPT("0000"), 0},
    {"signed", ANSWER("0000 0000 0002") OPT("0000") TSIG, "opk", NULL, 0},
    {"two OPTs", ANSWER("0000 0000 0002") OPT("0000") OPT("0000"), "opk", NULL, 0},
    {"cut", ANSWER("0001 0000 0001") A_RECORD, "opk", NULL, 0},
    {"no header", "1234", "opk", NULL, 0},
};

START_TEST(options_are_put)
{
    static uint8_t out[DNS_MESSAGE_MAX];
    uint8_t memory[WIRE_NOTATION_MAX] = {0};
    const char *asked = ANSWERS[_i].asked;
    const struct origin_hop hop = {strchr(asked, 'o') != NULL, strchr(asked, 'p') != NULL,
                                   strchr(asked, 'k') != NULL};
    size_t size;
    uint8_t *answer = exactly(ANSWERS[_i].answer, &size);
    size = hop_options_put((struct span){answer, size}, &hop, IDLE_MS, out);
    if (ANSWERS[_i].expected == NULL) {
        ck_assert_msg(size == 0, "%s", ANSWERS[_i].label);
    } else {
        struct span expected = wire_parse(ANSWERS[_i].expected, memory);
        memset(memory + expected.size, 0, ANSWERS[_i].padded);
        expected.size += ANSWERS[_i].padded;
        ck_assert_msg(wire_equal((struct span){out, size}, expected), "%s", ANSWERS[_i].label);
        ck_assert(!hop.padding || size % HOP_OPTIONS_BLOCK == 0);
    }
    free(answer);
}
END_TEST

START_TEST(a_transport_without_idle_time_tells_none)
{
    static uint8_t out[DNS_MESSAGE_MAX];
    const struct origin_hop hop = {.opt = true, .keepalive = true};
    size_t size;
    uint8_t *answer = exactly(ANSWER("0000 0000 0001") OPT("0000"), &size);
    ck_assert_uint_eq(hop_options_put((struct span){answer, size}, &hop, 0, out), 0);
    free(answer);
}
END_TEST

/* An answer with an OPT and so many octets in all: the rest is behind the last record. */
static size_t put_into(size_t size, const struct origin_hop *hop)
{
    static uint8_t answer[BIG], out[DNS_MESSAGE_MAX];
    uint8_t memory[WIRE_NOTATION_MAX];
    struct span head = wire_parse(ANSWER("0000 0000 0001") OPT("0000"), memory);
    memcpy(answer, head.bytes, head.size);
    return hop_options_put((struct span){answer, size}, hop, IDLE_MS, out);
}

START_TEST(padding_ends_where_messages_end)
{
    static const struct {
        size_t size;
        size_t expected; /* 0: as it is */
    } rows[] = {
        {463, 468},     {464, 468},     {465, 936},     {468, 936}, {65000, 65052}, {65050, 65520},
        {65516, 65520}, {65517, 65535}, {65531, 65535}, {65532, 0}, {65535, 0},
    };
    const struct origin_hop hop = {.opt = true, .padding = true};
    for (size_t i = 0; i < ROWS(rows); i++) {
        ck_assert_uint_eq(put_into(rows[i].size, &hop), rows[i].expected);
    }
}
END_TEST

START_TEST(a_long_idle_time_is_the_longest_there_is)
{
    static uint8_t out[DNS_MESSAGE_MAX];
    const struct origin_hop hop = {.opt = true, .keepalive = true};
    uint8_t memory[WIRE_NOTATION_MAX];
    struct span answer = wire_parse(ANSWER("0000 0000 0001") OPT("0000"), memory);
    size_t size = hop_options_put(answer, &hop, 24 * 3600 * 1000, out);
    ck_assert_uint_eq(size, answer.size + 6);
    ck_assert_uint_eq(out[size - 2], 0xff);
    ck_assert_uint_eq(out[size - 1], 0xff);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hop_options");
    TCase *tcase = tcase_create("hop_options");
    tcase_add_loop_test(tcase, options_are_taken, 0, ROWS(QUERIES));
    tcase_add_loop_test(tcase, options_are_put, 0, ROWS(ANSWERS));
    tcase_add_test(tcase, a_transport_without_idle_time_tells_none);
    tcase_add_test(tcase, padding_ends_where_messages_end);
    tcase_add_test(tcase, a_long_idle_time_is_the_longest_there_is);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
