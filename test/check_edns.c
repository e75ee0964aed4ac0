/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * OPT records as they come, and the one that Bailiwick writes, read back by libknot; server
 * cookies against the vectors of RFC 9018 appendix A.
 */
#include "forwarder/wire/edns.h"

#include <arpa/inet.h>
#include <check.h>
#include <libknot/libknot.h>

#include "test/wire_notation.h"
#include "test/suite.h"

/* A header (its counts but for QDCOUNT follow ID and flags) and the question a. IN A. */
#define QUERY(counts) "1234 0100 0001" counts "01'a'00 0001 0001"
#define OPT "00 0029 04d0 00000000 0000"
#define RECORD "01'b'00 0001 0001 0000003c 0004 c0000201"
#define CLIENT "0102030405060708"
#define SERVER_8 "1112131415161718"
#define SERVER_32 SERVER_8 SERVER_8 SERVER_8 SERVER_8
#define OPT_WITH(rdlength) "00 0029 04d0 00000000" rdlength

static const struct {
    const char *label;
    const char *message;
    struct edns_query expected;
} QUERIES[] = {
    {"no records", QUERY("0000 0000 0000"), {.readable = true, .udp_size = 512}},
    {"an OPT", QUERY("0000 0000 0001") OPT, {.present = true, .readable = true, .udp_size = 1232}},
    {"an option that is cut",
     QUERY("0000 0000 0001") OPT_WITH("0004") "000c 0001",
     {.present = true, .udp_size = 1232}},
    {"octets behind it", QUERY("0000 0000 0001") OPT "ffff", {.present = true, .udp_size = 1232}},
    {"DO",
     QUERY("0000 0000 0001") "00 0029 1000 00008000 0000",
     {.present = true, .readable = true, .dnssec_ok = true, .udp_size = 4096}},
    {"all flags but DO",
     QUERY("0000 0000 0001") "00 0029 1000 00007fff 0000",
     {.present = true, .readable = true, .udp_size = 4096}},
    {"version 1, extended rcode",
     QUERY("0000 0000 0001") "00 0029 04d0 fe018000 0000",
     {.present = true, .readable = true, .dnssec_ok = true, .udp_size = 1232, .version = 1}},
    {"size 0",
     QUERY("0000 0000 0001") "00 0029 0000 00000000 0000",
     {.present = true, .readable = true, .udp_size = 512}},
    {"size 511",
     QUERY("0000 0000 0001") "00 0029 01ff 00000000 0000",
     {.present = true, .readable = true, .udp_size = 512}},
    {"size 513",
     QUERY("0000 0000 0001") "00 0029 0201 00000000 0000",
     {.present = true, .readable = true, .udp_size = 513}},
    {"size 65535",
     QUERY("0000 0000 0001") "00 0029 ffff 00000000 0000",
     {.present = true, .readable = true, .udp_size = 65535}},

    {"records in front",
     QUERY("0001 0001 0002") RECORD RECORD RECORD OPT,
     {.present = true, .readable = true, .udp_size = 1232}},
    {"a record behind",
     QUERY("0000 0000 0002") OPT RECORD,
     {.present = true, .readable = true, .udp_size = 1232}},
    {"owners with pointers in front",
     QUERY("0000 0000 0003") "c00c 0001 0001 0000003c 0000 01'b' ffff 0001 0001 0000003c 0000" OPT,
     {.present = true, .readable = true, .udp_size = 1232}},
    {"in the answer section", QUERY("0001 0000 0000") OPT, {.readable = true, .udp_size = 512}},
    {"in the authority section", QUERY("0000 0001 0000") OPT, {.readable = true, .udp_size = 512}},
    {"in all sections",
     QUERY("0001 0001 0001") OPT OPT "00 0029 0600 00000000 0000",
     {.present = true, .readable = true, .udp_size = 1536}},
    {"another owner",
     QUERY("0000 0000 0001") "01'b'00 0029 04d0 00000000 0000",
     {.readable = true, .udp_size = 512}},
    {"a pointer to a root label as owner",
     QUERY("0000 0000 0001") "c00e 0029 04d0 00000000 0000",
     {.readable = true, .udp_size = 512}},
    {"another type at the root",
     QUERY("0000 0000 0001") "00 0028 04d0 00000000 0000",
     {.readable = true, .udp_size = 512}},

    {"two",
     QUERY("0000 0000 0002") OPT "00 0029 1000 00018000 0000",
     {.present = true, .several = true, .readable = true, .udp_size = 1232}},
    {"three",
     QUERY("0000 0000 0003") OPT OPT OPT,
     {.present = true, .several = true, .readable = true, .udp_size = 1232}},
    {"two, a record between",
     QUERY("0000 0000 0003") OPT RECORD OPT,
     {.present = true, .several = true, .readable = true, .udp_size = 1232}},
    {"two counted, one there", QUERY("0000 0000 0002") OPT, {.present = true, .udp_size = 1232}},
    {"the second cut",
     QUERY("0000 0000 0002") OPT "00 0029 1000 00018000 00",
     {.present = true, .udp_size = 1232}},

    {"counted, none there", QUERY("0000 0000 0001"), {.udp_size = 512}},
    {"65535 of each counted", QUERY("ffff ffff ffff") RECORD, {.udp_size = 512}},
    {"counts that sum up beyond 16 bits", QUERY("ffff 0001 0001") OPT, {.udp_size = 512}},
    {"hidden by ANCOUNT", QUERY("0001 0000 0001") OPT, {.udp_size = 512}},
    {"options cut", QUERY("0000 0000 0001") OPT_WITH("000c") "000a 0008 010203", {.udp_size = 512}},
    {"RDLENGTH beyond the end", QUERY("0000 0000 0001") OPT_WITH("ffff"), {.udp_size = 512}},
    {"an owner cut", QUERY("0000 0000 0002") OPT "3f'abc'", {.present = true, .udp_size = 1232}},
    {"a pointer cut", QUERY("0000 0000 0002") OPT "c0", {.present = true, .udp_size = 1232}},
    {"label type 01, no pointer",
     QUERY("0000 0000 0002") "41 00 0001 0001 0000003c 0000" OPT,
     {.udp_size = 512}},
    {"label type 01, no label",
     QUERY("0000 0000 0002") "41" SERVER_32 SERVER_32 "58 00 0001 0001 0000003c 0000" OPT,
     {.udp_size = 512}},
};

static struct edns_query decode(struct span message)
{
    struct dns_question question;
    struct edns_query query;
    ck_assert(dns_question_decode(message, &question) == DNS_QUESTION_ONE);
    edns_query_decode(message, &question, &query);
    return query;
}

START_TEST(queries_are_read_as_far_as_they_go)
{
    for (size_t i = 0; i < ROWS(QUERIES); i++) {
        const char *label = QUERIES[i].label;
        const struct edns_query *expected = &QUERIES[i].expected;
        uint8_t bytes[WIRE_NOTATION_MAX];
        struct edns_query query = decode(wire_parse(QUERIES[i].message, bytes));
        ck_assert_msg(query.present == expected->present, "%s", label);
        ck_assert_msg(query.several == expected->several, "%s", label);
        ck_assert_msg(query.readable == expected->readable, "%s", label);
        ck_assert_msg(query.dnssec_ok == expected->dnssec_ok, "%s", label);
        ck_assert_msg(query.udp_size == expected->udp_size, "%s: %u", label, query.udp_size);
        ck_assert_msg(query.version == expected->version, "%s", label);
        ck_assert_msg(query.cookie.size == 0, "%s", label);
    }
}
END_TEST

static const struct {
    const char *label;
    const char *message;
    const char *cookie;
} COOKIE_OPTIONS[] = {
    {"a client cookie", QUERY("0000 0000 0001") OPT_WITH("000c") "000a 0008" CLIENT, CLIENT},
    {"both cookies", QUERY("0000 0000 0001") OPT_WITH("0014") "000a 0010" CLIENT SERVER_8,
     CLIENT SERVER_8},
    {"the longest cookie", QUERY("0000 0000 0001") OPT_WITH("002c") "000a 0028" CLIENT SERVER_32,
     CLIENT SERVER_32},
    {"a cookie of 0", QUERY("0000 0000 0001") OPT_WITH("0004") "000a 0000", ""},
    {"a cookie of 7", QUERY("0000 0000 0001") OPT_WITH("000b") "000a 0007 01020304050607", ""},
    {"a cookie of 9", QUERY("0000 0000 0001") OPT_WITH("000d") "000a 0009" CLIENT "11", ""},
    {"a cookie of 15", QUERY("0000 0000 0001") OPT_WITH("0013") "000a 000f" CLIENT "11121314151617",
     ""},
    {"a cookie of 41", QUERY("0000 0000 0001") OPT_WITH("002d") "000a 0029" CLIENT SERVER_32 "19",
     ""},
    {"a cookie behind other options",
     QUERY("0000 0000 0001") OPT_WITH("0019") "0003 0000 000c 0005 0000000000 000a 0008" CLIENT,
     CLIENT},
    {"the first cookie counts",
     QUERY("0000 0000 0001") OPT_WITH("0018") "000a 0008" CLIENT "000a 0008" SERVER_8, CLIENT},
    {"the first cookie counts, though malformed",
     QUERY("0000 0000 0001") OPT_WITH("0011") "000a 0001 01 000a 0008" CLIENT, ""},
    {"a cookie that its option cuts",
     QUERY("0000 0000 0002") OPT_WITH("000c") "000a 0010" CLIENT RECORD, ""},
    {"an option header cut", QUERY("0000 0000 0001") OPT_WITH("0003") "000a 00", ""},
    {"an option cut in front of the cookie",
     QUERY("0000 0000 0001") OPT_WITH("0010") "0003 00ff 000a 0008" CLIENT, ""},
    {"the first OPT's cookie of two",
     QUERY("0000 0000 0002") OPT OPT_WITH("000c") "000a 0008" CLIENT, ""},
};

START_TEST(cookies_are_read_when_well_formed)
{
    for (size_t i = 0; i < ROWS(COOKIE_OPTIONS); i++) {
        uint8_t bytes[2][WIRE_NOTATION_MAX];
        struct edns_query query = decode(wire_parse(COOKIE_OPTIONS[i].message, bytes[0]));
        struct span expected = wire_parse(COOKIE_OPTIONS[i].cookie, bytes[1]);
        ck_assert_msg(query.present, "%s", COOKIE_OPTIONS[i].label);
        ck_assert_msg(wire_equal(query.cookie, expected), "%s", COOKIE_OPTIONS[i].label);
    }
}
END_TEST

static const struct {
    const char *label;
    const char *message;
    bool structured;
} STRUCTURED[] = {
    {"SDE", QUERY("0000 0000 0001") OPT_WITH("0004") "001a 0000", true},
    {"SDE with data, which is ignored", QUERY("0000 0000 0001") OPT_WITH("0006") "001a 0002 ffff",
     true},
    {"an EDE of INFO-CODE 0", QUERY("0000 0000 0001") OPT_WITH("0006") "000f 0002 0000", true},
    {"an EDE of another INFO-CODE", QUERY("0000 0000 0001") OPT_WITH("0006") "000f 0002 0100",
     false},
    {"an EDE of INFO-CODE 0 with a text",
     QUERY("0000 0000 0001") OPT_WITH("0007") "000f 0003 000041", false},
    {"an EDE of one octet", QUERY("0000 0000 0001") OPT_WITH("0005") "000f 0001 00", false},
    {"an empty EDE", QUERY("0000 0000 0001") OPT_WITH("0004") "000f 0000", false},
    {"no option", QUERY("0000 0000 0001") OPT, false},
    {"another option", QUERY("0000 0000 0001") OPT_WITH("0006") "001b 0002 0000", false},
    {"behind a cookie", QUERY("0000 0000 0001") OPT_WITH("0010") "000a 0008" CLIENT "001a 0000",
     true},
    {"behind an EDE that asks for nothing",
     QUERY("0000 0000 0001") OPT_WITH("000c") "000f 0002 0010 000f 0002 0000", true},
    {"cut", QUERY("0000 0000 0001") OPT_WITH("0003") "001a 00", false},
    {"cut data", QUERY("0000 0000 0001") OPT_WITH("0005") "000f 0002 00", false},
    {"behind an option that is cut", QUERY("0000 0000 0001") OPT_WITH("0008") "0003 00ff 001a 0000",
     false},
    {"in the second OPT", QUERY("0000 0000 0002") OPT OPT_WITH("0004") "001a 0000", false},
    {"no OPT", QUERY("0000 0000 0000"), false},
};

START_TEST(who_asks_for_structured_errors_is_heard)
{
    for (size_t i = 0; i < ROWS(STRUCTURED); i++) {
        uint8_t bytes[WIRE_NOTATION_MAX];
        struct edns_query query = decode(wire_parse(STRUCTURED[i].message, bytes));
        ck_assert_msg(query.structured == STRUCTURED[i].structured, "%s", STRUCTURED[i].label);
    }
}
END_TEST

/* 64 KiB of the smallest records, as many as the counts can say, and an OPT behind those there. */
START_TEST(a_full_message_is_read_to_its_end)
{
    static uint8_t bytes[DNS_MESSAGE_MAX];
    uint8_t notation[WIRE_NOTATION_MAX];
    struct span_writer writer = span_writer(bytes, sizeof bytes);
    span_write(&writer, wire_parse(QUERY("0000 0000 ffff"), notation));
    struct span record = wire_parse("00 0001 0001 00000000 0000", notation);
    unsigned count = 0;
    for (; writer.size + 2 * record.size <= writer.capacity; count++) {
        span_write(&writer, record);
    }
    span_write(&writer, wire_parse(OPT, notation));
    struct span message = {bytes, writer.size};
    struct edns_query query = decode(message);
    ck_assert(query.present && !query.readable);

    bytes[10] = (uint8_t)((count + 1) >> 8); /* ARCOUNT */
    bytes[11] = (uint8_t)(count + 1);
    query = decode(message);
    ck_assert(query.present && query.readable);
}
END_TEST

static const struct {
    const char *label;
    struct edns_answer answer; /* spans come from the notation */
    const char *cookie;
    const char *extra_text;
    const char *expected;
} OPTS[] = {
    {"nothing", {0}, "", "", "00 0029 04d0 00 00 0000 0000"},
    {"DO", {.dnssec_ok = true}, "", "", "00 0029 04d0 00 00 8000 0000"},
    {"BADVERS", {.extended_rcode = 1}, "", "", "00 0029 04d0 01 00 0000 0000"},
    {"EDE without text",
     {.has_error = true, .info_code = 16},
     "",
     "",
     "00 0029 04d0 00 00 0000 0006 000f 0002 0010"},
    {"EDE with text",
     {.has_error = true, .info_code = 4},
     "",
     "'By order'",
     "00 0029 04d0 00 00 0000 000e 000f 000a 0004 'By order'"},
    {"EDE 0", {.has_error = true}, "", "", "00 0029 04d0 00 00 0000 0006 000f 0002 0000"},
    {"text, but no EDE", {.info_code = 16}, "", "'By order'", "00 0029 04d0 00 00 0000 0000"},
    {"a cookie",
     {.dnssec_ok = true},
     CLIENT SERVER_8,
     "",
     "00 0029 04d0 00 00 8000 0014 000a 0010" CLIENT SERVER_8},
    {"all",
     {.dnssec_ok = true, .extended_rcode = 255, .has_error = true, .info_code = 0xfffe},
     CLIENT SERVER_32,
     "c3a9",
     "00 0029 04d0 ff 00 8000 0034 000a 0028" CLIENT SERVER_32 "000f 0004 fffe c3a9"},
};

static struct edns_answer opt_of_row(size_t row, uint8_t cookie[static WIRE_NOTATION_MAX],
                                     uint8_t extra_text[static WIRE_NOTATION_MAX])
{
    struct edns_answer answer = OPTS[row].answer;
    answer.cookie = wire_parse(OPTS[row].cookie, cookie);
    answer.extra_text = wire_parse(OPTS[row].extra_text, extra_text);
    return answer;
}

START_TEST(opts_are_written_to_the_octet)
{
    for (size_t i = 0; i < ROWS(OPTS); i++) {
        uint8_t bytes[3][WIRE_NOTATION_MAX];
        struct edns_answer answer = opt_of_row(i, bytes[0], bytes[1]);
        struct span expected = wire_parse(OPTS[i].expected, bytes[2]);
        uint8_t out[128];
        struct span_writer writer = span_writer(out, expected.size);
        edns_answer_encode(&writer, &answer);
        ck_assert_msg(!writer.failed, "%s", OPTS[i].label);
        ck_assert_msg(wire_equal((struct span){out, writer.size}, expected), "%s", OPTS[i].label);
        ck_assert_msg(edns_answer_size(&answer) == expected.size, "%s", OPTS[i].label);
    }
}
END_TEST

START_TEST(opts_that_do_not_fit_fail_the_writer)
{
    for (size_t i = 0; i < ROWS(OPTS); i++) {
        uint8_t bytes[2][WIRE_NOTATION_MAX];
        struct edns_answer answer = opt_of_row(i, bytes[0], bytes[1]);
        for (size_t capacity = 0; capacity < edns_answer_size(&answer); capacity++) {
            uint8_t out[128];
            struct span_writer writer = span_writer(out, capacity);
            edns_answer_encode(&writer, &answer);
            ck_assert_msg(writer.failed && writer.size == 0, "%s in %zu", OPTS[i].label, capacity);
        }
    }
}
END_TEST

/* RDLENGTH has 16 bits, whatever room the writer has. */
START_TEST(an_opt_beyond_64_KiB_fails_the_writer)
{
    static uint8_t text[DNS_MESSAGE_MAX];
    static uint8_t out[2 * DNS_MESSAGE_MAX];
    struct edns_answer answer = {.has_error = true, .extra_text = {text, sizeof text}};
    struct span_writer writer = span_writer(out, sizeof out);
    edns_answer_encode(&writer, &answer);
    ck_assert(writer.failed);
}
END_TEST

START_TEST(libknot_reads_what_is_written)
{
    for (size_t i = 0; i < ROWS(OPTS); i++) {
        uint8_t bytes[3][WIRE_NOTATION_MAX];
        struct edns_answer answer = opt_of_row(i, bytes[0], bytes[1]);
        uint8_t out[256];
        struct span_writer writer = span_writer(out, sizeof out);
        span_write(&writer, wire_parse(QUERY("0000 0000 0001"), bytes[2]));
        edns_answer_encode(&writer, &answer);

        knot_pkt_t *packet = knot_pkt_new(out, (uint16_t)writer.size, NULL);
        ck_assert_int_eq(knot_pkt_parse(packet, KNOT_PF_KEEPWIRE), KNOT_EOK);
        ck_assert_msg(knot_edns_get_payload(packet->opt_rr) == EDNS_UDP_SIZE, "%s", OPTS[i].label);
        ck_assert_msg(knot_edns_do(packet->opt_rr) == answer.dnssec_ok, "%s", OPTS[i].label);
        ck_assert_msg(knot_edns_get_version(packet->opt_rr) == 0, "%s", OPTS[i].label);
        const uint8_t *cookie = knot_edns_get_option(packet->opt_rr, KNOT_EDNS_OPTION_COOKIE, NULL);
        const uint8_t *error = knot_edns_get_option(packet->opt_rr, KNOT_EDNS_OPTION_EDE, NULL);
        ck_assert_msg((cookie != NULL) == (answer.cookie.size > 0), "%s", OPTS[i].label);
        ck_assert_msg((error != NULL) == answer.has_error, "%s", OPTS[i].label);
        knot_pkt_free(packet);
    }
}
END_TEST

/* RFC 9018 appendix A. The cookies that A.3 and A.4 come with were made elsewhere and go back as
 * they came; those that the answers there hold are made here from the client cookie. */
static const struct {
    const char *label;
    const char *client;
    const char *secret;
    uint32_t now;
    const char *query;
    const char *answer;
} COOKIES[] = {
    {"A.1 learning a new server cookie", "198.51.100.100", "e5e973e5a6b2a43f48e7dc849e37bfcf",
     1559731985, "2464c4abcf10c957", "2464c4abcf10c957 010000005cf79f111f8130c3eee29480"},
    {"A.2 the same client later", "198.51.100.100", "e5e973e5a6b2a43f48e7dc849e37bfcf", 1559734385,
     "2464c4abcf10c957", "2464c4abcf10c957 010000005cf7a871d4a564a1442aca77"},
    {"A.3 another client", "203.0.113.203", "e5e973e5a6b2a43f48e7dc849e37bfcf", 1559734700,
     "fc93fc62807ddb86", "fc93fc62807ddb86 010000005cf7a9acf73a7810aca2381e"},
    {"A.4 IPv6", "2001:db8:220:1:59de:d0f4:8769:82b8", "dd3bdf9344b678b185a6f5cb60fca715",
     1559741817, "22681ab97d52c298", "22681ab97d52c298 010000005cf7c57926556bd0934c72f8"},
    {"A.4 IPv6, new secret", "2001:db8:220:1:59de:d0f4:8769:82b8",
     "445536bcd2513298075a5d379663c962", 1559741961, "22681ab97d52c298",
     "22681ab97d52c298 010000005cf7c609a6bb79d16625507a"},
    {"A.3 a server cookie with reserved bits", "203.0.113.203", "e5e973e5a6b2a43f48e7dc849e37bfcf",
     1559734700, "fc93fc62807ddb86 01abcdef5cf78f71a314227b6679ebf5",
     "fc93fc62807ddb86 01abcdef5cf78f71a314227b6679ebf5"},
    {"a server cookie of 8 octets", "203.0.113.203", "e5e973e5a6b2a43f48e7dc849e37bfcf", 1559734700,
     CLIENT SERVER_8, CLIENT SERVER_8},
    {"a server cookie of 32 octets", "203.0.113.203", "e5e973e5a6b2a43f48e7dc849e37bfcf",
     1559734700, CLIENT SERVER_32, CLIENT SERVER_32},
    {"no cookie", "203.0.113.203", "e5e973e5a6b2a43f48e7dc849e37bfcf", 1559734700, "", ""},
};

START_TEST(cookies_are_made_or_given_back)
{
    for (size_t i = 0; i < ROWS(COOKIES); i++) {
        uint8_t bytes[3][WIRE_NOTATION_MAX];
        uint8_t client[16];
        bool ipv6 = strchr(COOKIES[i].client, ':') != NULL;
        ck_assert_int_eq(inet_pton(ipv6 ? AF_INET6 : AF_INET, COOKIES[i].client, client), 1);
        struct edns_cookie_env env = {.secret = wire_parse(COOKIES[i].secret, bytes[0]).bytes,
                                      .client = {client, ipv6 ? 16 : 4},
                                      .now = COOKIES[i].now};
        struct edns_query query = {.present = true,
                                   .cookie = wire_parse(COOKIES[i].query, bytes[1])};
        struct span expected = wire_parse(COOKIES[i].answer, bytes[2]);
        uint8_t out[EDNS_COOKIE_MAX];
        size_t size = edns_cookie_answer(&query, &env, out);
        ck_assert_msg(wire_equal((struct span){out, size}, expected), "%s", COOKIES[i].label);
    }
}
END_TEST

#define ECS "0008 0007 0001 18 00 022000"

/* ecs: the data of the option that is taken; NULL: none. */
static const struct {
    const char *label;
    const char *message;
    bool subnet;
    const char *ecs;
} SUBNETS[] = {
    {"no option", QUERY("0000 0000 0001") OPT, false, NULL},
    {"one", QUERY("0000 0000 0001") OPT_WITH("000b") ECS, true, "0001 18 00 022000"},
    {"behind a cookie", QUERY("0000 0000 0001") OPT_WITH("0017") "000a 0008" CLIENT ECS, true,
     "0001 18 00 022000"},
    {"SOURCE 0", QUERY("0000 0000 0001") OPT_WITH("0008") "0008 0004 0001 00 00", true,
     "0001 00 00"},
    {"a SCOPE", QUERY("0000 0000 0001") OPT_WITH("000b") "0008 0007 0001 18 01 022000", true, NULL},
    {"malformed", QUERY("0000 0000 0001") OPT_WITH("000b") "0008 0007 0001 17 00 022001", true,
     NULL},
    {"empty", QUERY("0000 0000 0001") OPT_WITH("0004") "0008 0000", true, NULL},
    {"two", QUERY("0000 0000 0001") OPT_WITH("0016") ECS ECS, true, NULL},
    {"one and a malformed one", QUERY("0000 0000 0001") OPT_WITH("000f") ECS "0008 0000", true,
     NULL},
    {"a malformed one and one", QUERY("0000 0000 0001") OPT_WITH("000f") "0008 0000" ECS, true,
     NULL},
    {"three", QUERY("0000 0000 0001") OPT_WITH("0021") ECS ECS ECS, true, NULL},
    {"in a second OPT", QUERY("0000 0000 0002") OPT OPT_WITH("000b") ECS, false, NULL},
};

START_TEST(client_subnets_are_read)
{
    for (size_t i = 0; i < ROWS(SUBNETS); i++) {
        uint8_t bytes[2][WIRE_NOTATION_MAX];
        struct edns_query query = decode(wire_parse(SUBNETS[i].message, bytes[0]));
        ck_assert_msg(query.subnet == SUBNETS[i].subnet, "%s", SUBNETS[i].label);
        ck_assert_msg((query.ecs.size > 0) == (SUBNETS[i].ecs != NULL), "%s", SUBNETS[i].label);
        if (SUBNETS[i].ecs != NULL) {
            struct span expected = wire_parse(SUBNETS[i].ecs, bytes[1]);
            ck_assert_msg(wire_equal(query.ecs, expected), "%s", SUBNETS[i].label);
        }
    }
}
END_TEST

START_TEST(client_subnets_go_back_with_their_scope)
{
    static const struct {
        const char *query;
        const char *answer;
    } ECHOES[] = {
        {"0001 18 00 022000", "0001 18 18 022000"},
        {"0001 00 00", "0001 00 00"},
        {"0002 80 00 20010b07000000000000000000000001",
         "0002 80 80 20010b07000000000000000000000001"},
    };
    for (size_t i = 0; i < ROWS(ECHOES); i++) {
        uint8_t bytes[3][WIRE_NOTATION_MAX];
        struct edns_answer answer = {
            .ecs = wire_parse(ECHOES[i].query, bytes[0]), .has_error = true, .info_code = 16};
        struct span expected = wire_parse(ECHOES[i].answer, bytes[1]);
        struct span_writer writer = span_writer(bytes[2], edns_answer_size(&answer));
        edns_answer_encode(&writer, &answer);
        ck_assert(!writer.failed);
        ck_assert_uint_eq(writer.size, 11 + 4 + expected.size + 6);
        ck_assert(wire_equal((struct span){bytes[2] + 15, expected.size}, expected));
        ck_assert_uint_eq(bytes[2][12], 8);
        ck_assert_uint_eq(bytes[2][writer.size - 1], 16);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edns");
    TCase *tcase = tcase_create("edns");
    tcase_add_test(tcase, queries_are_read_as_far_as_they_go);
    tcase_add_test(tcase, cookies_are_read_when_well_formed);
    tcase_add_test(tcase, who_asks_for_structured_errors_is_heard);
    tcase_add_test(tcase, client_subnets_are_read);
    tcase_add_test(tcase, client_subnets_go_back_with_their_scope);
    tcase_add_test(tcase, a_full_message_is_read_to_its_end);
    tcase_add_test(tcase, opts_are_written_to_the_octet);
    tcase_add_test(tcase, opts_that_do_not_fit_fail_the_writer);
    tcase_add_test(tcase, an_opt_beyond_64_KiB_fails_the_writer);
    tcase_add_test(tcase, libknot_reads_what_is_written);
    tcase_add_test(tcase, cookies_are_made_or_given_back);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
