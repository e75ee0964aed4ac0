/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Blocked answers (ANSWERS in bailiwickd(8)), a row for each sentence: some to the octet, all as
 * libknot reads them; and every combination of extremes against the size that may leave.
 */
#include "forwarder/block.h"

#include <check.h>
#include <stdio.h>

#include "test/answer_report.h"
#include "test/wire_notation.h"
#include "test/suite.h"

/* Queries: flags, the number of additional records, and the rest. */
#define QUERY(flags, arcount) "abcd" flags "0001 0000 0000" arcount
#define NAME "03'Www' 07'KickAss' 02'to' 00"
#define KICKASS 4 /* offset of kickass.to in it */
#define A "0001 0001"
#define OPT "00 0029 1000 00000000 0000"
#define OPT_DO "00 0029 1000 00008000 0000"
#define OPT_COOKIE "00 0029 1000 00000000 000c 000a 0008 2464c4abcf10c957"
#define OPT_COOKIES "00 0029 1000 00000000 0018 000a 0014 2464c4abcf10c957 0102030405060708090a0b0c"

#define TEXT(literal)                                   \
    {                                                   \
        (const uint8_t *)(literal), sizeof(literal) - 1 \
    }

static const struct block_record ADDRESSES[] = {
    {DNS_TYPE_A, TEXT("\xc0\x00\x02\x50")},
    {DNS_TYPE_A, TEXT("\xc0\x00\x02\x51")},
};
static const struct block_record MIXED[] = {
    {DNS_TYPE_TXT, TEXT("\5by or\3der")},
    {DNS_TYPE_AAAA, TEXT("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x80")},
};
static const struct block_record CNAME_RECORD[] = {
    {DNS_TYPE_CNAME, TEXT("\7blocked\7example\0")},
};

/* RFC 9018 appendix A.1. */
static const uint8_t SECRET[] = {0xe5, 0xe9, 0x73, 0xe5, 0xa6, 0xb2, 0xa4, 0x3f,
                                 0x48, 0xe7, 0xdc, 0x84, 0x9e, 0x37, 0xbf, 0xcf};
static const uint8_t CLIENT[] = {198, 51, 100, 100};
static const struct edns_cookie_env COOKIE_ENV = {
    .secret = SECRET, .client = {CLIENT, sizeof CLIENT}, .now = 1559731985};

static const struct block_text REFUSED = {
    .kind = BLOCK_REFUSED, .info_code = 16, .has_error = true, .extra_text = TEXT("By order")};
static const struct block_text REFUSED_WITHOUT_ERROR = {.kind = BLOCK_REFUSED};
static const struct block_text REFUSED_SEALED = {
    .kind = BLOCK_REFUSED, .info_code = 16, .has_error = true};
static const struct block_text NXDOMAIN = {
    .kind = BLOCK_NXDOMAIN, .matched = KICKASS, .ttl = 60, .info_code = 16, .has_error = true};
static const struct block_text NODATA = {.kind = BLOCK_NODATA,
                                         .ttl = 7,
                                         .rname = TEXT("\5legal\7example\0"),
                                         .info_code = 16,
                                         .has_error = true};
static const struct block_text NODATA_OF_ROOT = {.kind = BLOCK_NODATA, .matched = 15, .ttl = 60};
static const struct block_text ADDRESS = {.kind = BLOCK_RECORDS,
                                          .matched = KICKASS,
                                          .ttl = 60,
                                          .records = ADDRESSES,
                                          .record_count = ROWS(ADDRESSES),
                                          .info_code = 4,
                                          .has_error = true};
static const struct block_text LOCAL = {.kind = BLOCK_RECORDS,
                                        .ttl = 60,
                                        .records = MIXED,
                                        .record_count = ROWS(MIXED),
                                        .info_code = 4,
                                        .has_error = true};
static const struct block_text CNAME = {.kind = BLOCK_RECORDS,
                                        .ttl = 60,
                                        .records = CNAME_RECORD,
                                        .record_count = 1,
                                        .info_code = 4,
                                        .has_error = true,
                                        .extra_text = TEXT("By order")};
static const struct block_text TCP_ONLY = {.kind = BLOCK_TRUNCATED};

static const struct {
    const char *label;
    const char *message;
    const struct block_text *text;
    const char *expected;
} OCTETS[] = {
    {"refused", QUERY("0100", "0000") NAME A, &REFUSED, "abcd 8185 0001 0000 0000 0000" NAME A},
    {"refused with OPT", QUERY("0110", "0001") NAME A OPT_DO, &REFUSED,
     "abcd 8195 0001 0000 0000 0001" NAME A
     "00 0029 04d0 00 00 8000 000e 000f 000a 0010 'By order'"},
    {"nxdomain", QUERY("0000", "0000") NAME A, &NXDOMAIN,
     "abcd 8083 0001 0000 0001 0000" NAME A
     "c010 0006 0001 0000003c 0026 c010 06'nobody'07'invalid'00"
     "00000001 00000e10 000004b0 00093a80 0000003c"},
    {"nodata below the root", QUERY("0100", "0000") NAME A, &NODATA_OF_ROOT,
     "abcd 8180 0001 0000 0001 0000" NAME A "00 0006 0001 0000003c 0025 00 06'nobody'07'invalid'00"
     "00000001 00000e10 000004b0 00093a80 0000003c"},
    {"address", QUERY("0100", "0001") NAME A OPT_COOKIES, &ADDRESS,
     "abcd 8180 0001 0002 0000 0001" NAME A
     "c00c 0001 0001 0000003c 0004 c0000250 c00c 0001 0001 0000003c 0004 c0000251"
     "00 0029 04d0 00 00 0000 001e 000a 0014 2464c4abcf10c957 0102030405060708090a0b0c"
     "000f 0002 0004"},
};

START_TEST(answers_are_right_to_the_octet)
{
    for (size_t i = 0; i < ROWS(OCTETS); i++) {
        uint8_t bytes[2][WIRE_NOTATION_MAX];
        struct block_query query = read_query(wire_parse(OCTETS[i].message, bytes[0]));
        uint8_t out[BLOCK_ANSWER_MAX];
        size_t size = block_answer(&query, OCTETS[i].text, &COOKIE_ENV, out);
        struct span expected = wire_parse(OCTETS[i].expected, bytes[1]);
        ck_assert_msg(wire_equal((struct span){out, size}, expected), "%s", OCTETS[i].label);
    }
}
END_TEST

#define SOA(class, ttl)                                                          \
    "\nauthority KickAss.to. " ttl " " class " SOA KickAss.to. nobody.invalid. " \
                                             "1 3600 1200 604800 " ttl

static const struct {
    const char *label;
    const char *message;
    const struct block_text *text;
    const char *expected;
} ANSWERS[] = {
    {"the question as it came, QR and RA set", QUERY("0000", "0000") NAME A, &REFUSED,
     "REFUSED 0 qr ra\nWww.KickAss.to. IN A"},
    {"RD is copied", QUERY("0100", "0000") NAME A, &REFUSED,
     "REFUSED 0 qr rd ra\nWww.KickAss.to. IN A"},
    {"CD is copied", QUERY("0010", "0000") NAME A, &REFUSED,
     "REFUSED 0 qr ra cd\nWww.KickAss.to. IN A"},
    {"AA, TC, RA, Z, AD and rcode of the query are not", QUERY("06ef", "0000") NAME A, &REFUSED,
     "REFUSED 0 qr ra\nWww.KickAss.to. IN A"},
    {"type SOA", QUERY("0100", "0000") NAME "0006 0001", &REFUSED,
     "REFUSED 0 qr rd ra\nWww.KickAss.to. IN SOA"},
    {"type ANY", QUERY("0100", "0000") NAME "00ff 0001", &REFUSED,
     "REFUSED 0 qr rd ra\nWww.KickAss.to. IN ANY"},
    {"an unknown type", QUERY("0100", "0000") NAME "fffe 0001", &REFUSED,
     "REFUSED 0 qr rd ra\nWww.KickAss.to. IN TYPE65534"},
    {"class CH", QUERY("0100", "0000") NAME "0010 0003", &REFUSED,
     "REFUSED 0 qr rd ra\nWww.KickAss.to. CH TXT"},

    {"no OPT in, no OPT out", QUERY("0100", "0000") NAME A, &NXDOMAIN,
     "NXDOMAIN 0 qr rd ra\nWww.KickAss.to. IN A" SOA("IN", "60")},
    {"OPT in, one OPT back", QUERY("0100", "0001") NAME A OPT, &REFUSED,
     "REFUSED 0 qr rd ra\nWww.KickAss.to. IN A\nopt 1232 ede 16 By order"},
    {"DO is copied", QUERY("0100", "0001") NAME A OPT_DO, &REFUSED,
     "REFUSED 0 qr rd ra\nWww.KickAss.to. IN A\nopt 1232 do ede 16 By order"},
    {"an EDE without text", QUERY("0100", "0001") NAME A OPT, &REFUSED_SEALED,
     "REFUSED 0 qr rd ra\nWww.KickAss.to. IN A\nopt 1232 ede 16 "},
    {"no EDE", QUERY("0100", "0001") NAME A OPT, &REFUSED_WITHOUT_ERROR,
     "REFUSED 0 qr rd ra\nWww.KickAss.to. IN A\nopt 1232"},
    {"a cookie is made (RFC 9018 A.1)", QUERY("0100", "0001") NAME A OPT_COOKIE, &REFUSED,
     "REFUSED 0 qr rd ra\nWww.KickAss.to. IN A\n"
     "opt 1232 cookie 2464c4abcf10c957010000005cf79f111f8130c3eee29480 ede 16 By order"},
    {"a server cookie goes back as it came", QUERY("0100", "0001") NAME A OPT_COOKIES, &REFUSED,
     "REFUSED 0 qr rd ra\nWww.KickAss.to. IN A\n"
     "opt 1232 cookie 2464c4abcf10c9570102030405060708090a0b0c ede 16 By order"},

    {"nxdomain with the matched name's SOA", QUERY("0100", "0001") NAME A OPT, &NXDOMAIN,
     "NXDOMAIN 0 qr rd ra\nWww.KickAss.to. IN A" SOA("IN", "60") "\nopt 1232 ede 16 "},
    {"nodata with a RNAME of its own, of the whole name", QUERY("0110", "0000") NAME A, &NODATA,
     "NOERROR 0 qr rd ra cd\nWww.KickAss.to. IN A\n"
     "authority Www.KickAss.to. 7 IN SOA Www.KickAss.to. legal.example. 1 3600 1200 604800 7"},
    {"nodata of the root", QUERY("0100", "0000") NAME A, &NODATA_OF_ROOT,
     "NOERROR 0 qr rd ra\nWww.KickAss.to. IN A\n"
     "authority . 60 IN SOA . nobody.invalid. 1 3600 1200 604800 60"},
    {"nxdomain for type SOA", QUERY("0100", "0000") NAME "0006 0001", &NXDOMAIN,
     "NXDOMAIN 0 qr rd ra\nWww.KickAss.to. IN SOA" SOA("IN", "60")},
    {"nxdomain in class CH", QUERY("0100", "0000") NAME "0010 0003", &NXDOMAIN,
     "NXDOMAIN 0 qr rd ra\nWww.KickAss.to. CH TXT" SOA("CH", "60")},
    {"nxdomain in class ANY", QUERY("0100", "0000") NAME "0001 00ff", &NXDOMAIN,
     "NXDOMAIN 0 qr rd ra\nWww.KickAss.to. ANY A" SOA("IN", "60")},

    {"addresses", QUERY("0100", "0001") NAME A OPT, &ADDRESS,
     "NOERROR 0 qr rd ra\nWww.KickAss.to. IN A\nanswer Www.KickAss.to. 60 IN A 192.0.2.80\n"
     "answer Www.KickAss.to. 60 IN A 192.0.2.81\nopt 1232 ede 4 "},
    {"records of several types", QUERY("0100", "0000") NAME "00ff 0001", &LOCAL,
     "NOERROR 0 qr rd ra\nWww.KickAss.to. IN ANY\n"
     "answer Www.KickAss.to. 60 IN TXT \"by or\" \"der\"\n"
     "answer Www.KickAss.to. 60 IN AAAA 2001:db8::80"},
    {"records in class ANY", QUERY("0100", "0000") NAME "0001 00ff", &ADDRESS,
     "NOERROR 0 qr rd ra\nWww.KickAss.to. ANY A\nanswer Www.KickAss.to. 60 IN A 192.0.2.80\n"
     "answer Www.KickAss.to. 60 IN A 192.0.2.81"},
    {"a record of the root", QUERY("0100", "0000") "00" A,
     &(const struct block_text){.kind = BLOCK_RECORDS, .records = ADDRESSES, .record_count = 1},
     "NOERROR 0 qr rd ra\n. IN A\nanswer . 0 IN A 192.0.2.80"},
    {"a CNAME", QUERY("0100", "0001") NAME A OPT, &CNAME,
     "NOERROR 0 qr rd ra\nWww.KickAss.to. IN A\n"
     "answer Www.KickAss.to. 60 IN CNAME blocked.example.\nopt 1232 ede 4 By order"},
    {"nothing but TC", QUERY("0100", "0001") NAME A OPT, &TCP_ONLY,
     "NOERROR 0 qr tc rd ra\nWww.KickAss.to. IN A\nopt 1232"},
};

START_TEST(answers_are_what_libknot_reads)
{
    for (size_t i = 0; i < ROWS(ANSWERS); i++) {
        uint8_t bytes[WIRE_NOTATION_MAX];
        struct block_query query = read_query(wire_parse(ANSWERS[i].message, bytes));
        uint8_t out[BLOCK_ANSWER_MAX];
        size_t size = block_answer(&query, ANSWERS[i].text, &COOKIE_ENV, out);
        struct report got;
        report_answer(&got, ANSWERS[i].label, out, size);
        ck_assert_msg(strcmp(got.text, ANSWERS[i].expected) == 0, "%s: got\n%s", ANSWERS[i].label,
                      got.text);
    }
}
END_TEST

static const struct {
    const char *label;
    const char *message;
    enum dns_rcode rcode;
    int info_code;
    const char *expected;
} RCODES[] = {
    {"a client that is not served", QUERY("0100", "0001") NAME A OPT, DNS_RCODE_REFUSED, -1,
     "REFUSED 0 qr rd ra\nWww.KickAss.to. IN A\nopt 1232"},
    {"the same without OPT", QUERY("0000", "0000") NAME A, DNS_RCODE_REFUSED, -1,
     "REFUSED 0 qr ra\nWww.KickAss.to. IN A"},
    {"two OPTs", QUERY("0100", "0002") NAME A OPT_DO OPT_COOKIE, DNS_RCODE_FORMERR, -1,
     "FORMERR 0 qr rd ra\nWww.KickAss.to. IN A\nopt 1232 do"},
    {"EDNS version 1", QUERY("0110", "0001") NAME A "00 0029 1000 00018000 0000", DNS_RCODE_BADVERS,
     -1, "BADVERS 0 qr rd ra cd\nWww.KickAss.to. IN A\nopt 1232 do"},
    {"upstream gives nothing", QUERY("0100", "0001") NAME A OPT_COOKIES, DNS_RCODE_SERVFAIL, 23,
     "SERVFAIL 0 qr rd ra\nWww.KickAss.to. IN A\n"
     "opt 1232 cookie 2464c4abcf10c9570102030405060708090a0b0c ede 23 "},
    {"upstream gives nothing, no OPT", QUERY("0100", "0000") NAME A, DNS_RCODE_SERVFAIL, 23,
     "SERVFAIL 0 qr rd ra\nWww.KickAss.to. IN A"},
    {"another opcode is copied", QUERY("2000", "0000") NAME A, DNS_RCODE_SERVFAIL, 23,
     "SERVFAIL 4 qr ra\nWww.KickAss.to. IN A"},
};

START_TEST(rcodes_repeat_question_and_opt)
{
    for (size_t i = 0; i < ROWS(RCODES); i++) {
        uint8_t bytes[WIRE_NOTATION_MAX];
        struct block_query query = read_query(wire_parse(RCODES[i].message, bytes));
        uint8_t out[BLOCK_ANSWER_MAX];
        size_t size = block_rcode(&query, RCODES[i].rcode, RCODES[i].info_code, &COOKIE_ENV, out);
        struct report got;
        report_answer(&got, RCODES[i].label, out, size);
        ck_assert_msg(strcmp(got.text, RCODES[i].expected) == 0, "%s: got\n%s", RCODES[i].label,
                      got.text);
    }
}
END_TEST

static const struct {
    const char *label;
    const char *message;
    enum dns_rcode rcode;
    const char *expected;
} HEADERS[] = {
    {"two questions", "abcd 0110 0002 0000 0000 0001", DNS_RCODE_FORMERR,
     "abcd 8191 0000 0000 0000 0000"},
    {"RD 0", "abcd 0000 0001 0001 0001 0001", DNS_RCODE_FORMERR, "abcd 8081 0000 0000 0000 0000"},
    {"DSO", "abcd 3000 0000 0000 0000 0000", DNS_RCODE_NOTIMP, "abcd b084 0000 0000 0000 0000"},
    {"what is not copied", "abcd 06ef 0001 0000 0000 0000", DNS_RCODE_FORMERR,
     "abcd 8081 0000 0000 0000 0000"},
};

START_TEST(headers_stand_alone)
{
    for (size_t i = 0; i < ROWS(HEADERS); i++) {
        uint8_t bytes[2][WIRE_NOTATION_MAX];
        struct dns_header header;
        ck_assert(dns_header_decode(wire_parse(HEADERS[i].message, bytes[0]), &header));
        uint8_t out[BLOCK_ANSWER_MAX];
        size_t size = block_header_only(&header, HEADERS[i].rcode, out);
        struct span expected = wire_parse(HEADERS[i].expected, bytes[1]);
        ck_assert_msg(wire_equal((struct span){out, size}, expected), "%s", HEADERS[i].label);
    }
}
END_TEST

/* One combination of extremes. */
struct extreme {
    enum block_kind kind;
    uint16_t qtype;
    size_t qname; /* octets: 1, or 3 to 255 */
    bool matches_root;
    int udp_size; /* -1: no OPT */
    bool stream;
    size_t cookie; /* octets: 0, 8, 16 to 40 */
    size_t rname;  /* octets: 0, or 3 to 255 */
    size_t extra_text;
    size_t short_text; /* less than extra_text */
    size_t records;
    size_t data; /* octets of each */
    char label[200];
};

/* A name of that many octets in labels of at most 63. */
static struct span name_of(size_t size, uint8_t out[static DNS_NAME_MAX])
{
    struct span_writer writer = span_writer(out, DNS_NAME_MAX);
    for (size_t left = size - 1; left > 0;) {
        size_t label = left - 1 > DNS_LABEL_MAX ? DNS_LABEL_MAX : left - 1;
        if (left - 1 - label == 1) {
            label--; /* one octet is no label */
        }
        span_write_u8(&writer, (uint8_t)label);
        for (size_t i = 0; i < label; i++) {
            span_write_u8(&writer, 'x');
        }
        left -= label + 1;
    }
    span_write_u8(&writer, 0);
    ck_assert_uint_eq(writer.size, size);
    return (struct span){out, size};
}

static size_t limit_of(const struct extreme *extreme)
{
    if (extreme->stream) {
        return BLOCK_ANSWER_MAX;
    }
    if (extreme->udp_size < 512) {
        return 512;
    }
    return extreme->udp_size > 1400 ? 1400 : (size_t)extreme->udp_size;
}

static void label_extreme(struct extreme *extreme)
{
    snprintf(extreme->label, sizeof extreme->label,
             "kind %d qname %zu root %d udp %d stream %d cookie %zu rname %zu text %zu/%zu "
             "records %zu of %zu",
             (int)extreme->kind, extreme->qname, extreme->matches_root, extreme->udp_size,
             extreme->stream, extreme->cookie, extreme->rname, extreme->extra_text,
             extreme->short_text, extreme->records, extreme->data);
}

/* What an answer holds of what it could. */
struct held {
    size_t extra_text;
    bool rname;
    bool soa;
    size_t records;
};

/* The parts of an answer by the formats of RFC 1035, RFC 6891, RFC 7873 and RFC 8914. */
static size_t size_of(const struct extreme *extreme, const struct held *held)
{
    size_t size = 12 + extreme->qname + 4;
    size_t owner = extreme->qname == 1 ? 1 : 2;
    size_t matched = extreme->qname == 1 || extreme->matches_root ? 1 : 2;
    size += held->records * (owner + 10 + extreme->data);
    if (held->soa) {
        size_t rname = held->rname && extreme->rname > 0 ? extreme->rname : 16;
        size += matched + 10 + matched + rname + 20;
    }
    if (extreme->udp_size >= 0) {
        size_t cookie = extreme->cookie == 8 ? 24 : extreme->cookie;
        size += 11 + (cookie > 0 ? 4 + cookie : 0) + 6 + held->extra_text;
    }
    return size;
}

/* What the answer must hold: the first that fits of the ways to leave something out. */
static struct held expected(const struct extreme *extreme)
{
    size_t limit = limit_of(extreme);
    bool has_records = extreme->kind == BLOCK_RECORDS;
    struct held held = {.extra_text = extreme->extra_text,
                        .rname = true,
                        .soa = extreme->kind == BLOCK_NXDOMAIN || extreme->kind == BLOCK_NODATA,
                        .records = has_records ? extreme->records : 0};
    if (size_of(extreme, &held) > limit) {
        held.extra_text = extreme->short_text;
    }
    if (size_of(extreme, &held) > limit) {
        held.extra_text = 0;
    }
    if (size_of(extreme, &held) > limit) {
        held.rname = false;
    }
    while (size_of(extreme, &held) > limit) {
        ck_assert_msg(held.records > 0, "%s: nothing fits", extreme->label);
        held.records--;
        held.soa = held.records == 0 && extreme->stream;
    }
    return held;
}

/* Zeros, for texts and cookies whose content does not matter here. */
static const uint8_t ZEROS[2000];

static struct block_query query_of(const struct extreme *extreme,
                                   uint8_t question[static DNS_QUESTION_MAX])
{
    struct span qname = name_of(extreme->qname, question);
    struct span_writer writer = span_writer(question + qname.size, 4);
    span_write_u16(&writer, DNS_TYPE_TXT);
    span_write_u16(&writer, DNS_CLASS_IN);
    return (struct block_query){
        .header = {.flags = DNS_FLAG_RD, .qdcount = 1},
        .question = {qname, DNS_TYPE_TXT, DNS_CLASS_IN, {question, qname.size + 4}},
        .edns = {.present = extreme->udp_size >= 0,
                 .udp_size = (uint16_t)(extreme->udp_size < 0 ? 512 : extreme->udp_size),
                 .cookie = {ZEROS, extreme->cookie}},
        .stream = extreme->stream,
    };
}

static void check_extreme(const struct extreme *extreme)
{
    static uint8_t data[255] = {0, 0,
                                253}; /* TXT: of one empty string, or of 253 octets behind it */
    struct block_record records[BLOCK_RECORDS_MAX];
    for (size_t i = 0; i < extreme->records; i++) {
        records[i] = (struct block_record){DNS_TYPE_TXT, {data, extreme->data}};
    }
    uint8_t question[DNS_QUESTION_MAX];
    uint8_t rname[DNS_NAME_MAX];
    struct block_query query = query_of(extreme, question);
    struct block_text text = {
        .kind = extreme->kind,
        .matched = extreme->matches_root ? (unsigned)extreme->qname - 1 : 0,
        .rname = extreme->rname == 0 ? (struct span){0} : name_of(extreme->rname, rname),
        .records = records,
        .record_count = extreme->records,
        .has_error = true,
        .info_code = 16,
        .extra_text = {ZEROS, extreme->extra_text},
        .short_text = {ZEROS, extreme->short_text},
    };
    uint8_t out[BLOCK_ANSWER_MAX];
    size_t size = block_answer(&query, &text, &COOKIE_ENV, out);
    struct held held = expected(extreme);
    ck_assert_msg(size == size_of(extreme, &held), "%s: %zu octets, not %zu", extreme->label, size,
                  size_of(extreme, &held));
    knot_pkt_t *packet = read_answer(extreme->label, out, size);
    ck_assert_msg((packet->opt_rr != NULL) == query.edns.present, "%s", extreme->label);
    bool none_fits = extreme->kind == BLOCK_RECORDS && held.records == 0 && !extreme->stream;
    ck_assert_msg((knot_wire_get_tc(out) != 0) == none_fits, "%s: TC", extreme->label);
    knot_pkt_free(packet);
}

/* The next digit of a number with a base for each digit. */
static size_t draw(size_t *number, size_t base)
{
    size_t digit = *number % base;
    *number /= base;
    return digit;
}

START_TEST(every_extreme_fits)
{
    static const size_t QNAMES[] = {1, 3, 40, 254, 255};
    static const int UDP_SIZES[] = {-1, 0, 512, 700, 1232, 1400, 4096, 65535};
    static const size_t COOKIES[] = {0, 8, 40};
    static const size_t RNAMES[] = {0, 3, 146, 147, 255};
    static const size_t TEXTS[] = {0, 1, 130, 131, 200, 1000, 2000};
    static const size_t RECORD_COUNTS[] = {1, 6, 12, 60, BLOCK_RECORDS_MAX};
    size_t combinations = 4 * 2 * 2 * 2 * 2 * ROWS(QNAMES) * ROWS(UDP_SIZES) * ROWS(COOKIES) *
                          ROWS(RNAMES) * ROWS(TEXTS) * ROWS(RECORD_COUNTS);
    /* A step prime to every base lets each value meet each other, in a fraction of the time that
     * all combinations take. */
    for (size_t i = 0; i < combinations; i += 53) {
        size_t rest = i;
        struct extreme extreme;
        extreme.kind = (enum block_kind)draw(&rest, 4);
        extreme.data = draw(&rest, 2) == 0 ? 1 : 254;
        bool shortened = draw(&rest, 2) == 0;
        extreme.matches_root = draw(&rest, 2) == 0;
        extreme.stream = draw(&rest, 2) == 0;
        extreme.qname = QNAMES[draw(&rest, ROWS(QNAMES))];
        extreme.udp_size = UDP_SIZES[draw(&rest, ROWS(UDP_SIZES))];
        extreme.cookie = COOKIES[draw(&rest, ROWS(COOKIES))];
        extreme.rname = RNAMES[draw(&rest, ROWS(RNAMES))];
        extreme.extra_text = TEXTS[draw(&rest, ROWS(TEXTS))];
        extreme.records = RECORD_COUNTS[draw(&rest, ROWS(RECORD_COUNTS))];
        extreme.short_text = shortened && extreme.extra_text > 100 ? 100 : 0;
        label_extreme(&extreme);
        check_extreme(&extreme);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("block");
    TCase *tcase = tcase_create("block");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, answers_are_right_to_the_octet);
    tcase_add_test(tcase, answers_are_what_libknot_reads);
    tcase_add_test(tcase, rcodes_repeat_question_and_opt);
    tcase_add_test(tcase, headers_stand_alone);
    tcase_add_test(tcase, every_extreme_fits);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
