/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Answers made of a CNAME and what upstream says of its target: as libknot reads them, and what
 * goes where they do not fit.
 */
#include "forwarder/block.h"

#include <check.h>

#include "test/answer_report.h"
#include "test/wire_notation.h"
#include "test/suite.h"

#define QUERY(flags, arcount) "abcd" flags "0001 0000 0000" arcount
#define NAME "03'Www' 07'KickAss' 02'to' 00"
#define A "0001 0001"
#define OPT "00 0029 1000 00000000 0000"

#define TEXT(literal)                                   \
    {                                                   \
        (const uint8_t *)(literal), sizeof(literal) - 1 \
    }

/* No query here has a cookie. */
static const uint8_t SECRET[EDNS_COOKIE_SECRET];
static const struct edns_cookie_env COOKIE_ENV = {.secret = SECRET};

static const struct block_record CNAME_RECORD[] = {
    {DNS_TYPE_CNAME, TEXT("\7blocked\7example\0")},
};

static const struct block_text CNAME = {.kind = BLOCK_RECORDS,
                                        .ttl = 60,
                                        .records = CNAME_RECORD,
                                        .record_count = 1,
                                        .info_code = 4,
                                        .has_error = true,
                                        .extra_text = TEXT("By order")};
#define TARGET "07'blocked' 07'example' 00"
#define TARGET_A TARGET "0001 0001 0000000a 0004 c6336450"
#define TARGET_SOA \
    TARGET "0006 0001 0000000a 001b 00 01'x' 02'no' 00 00000001000000020000000300000004 00000005"
#define LEADS "\nanswer Www.KickAss.to. 60 IN CNAME blocked.example."

static const struct {
    const char *label;
    const char *message;
    bool stream;
    enum dns_rcode rcode;
    const char *answer;
    unsigned answers; /* so many times */
    const char *authority;
    const char *expected;
} TAILS[] = {
    {"an address", QUERY("0110", "0001") NAME A OPT, false, DNS_RCODE_NOERROR, TARGET_A, 1, NULL,
     "NOERROR 0 qr rd ra cd\nWww.KickAss.to. IN A" LEADS
     "\nanswer blocked.example. 10 IN A 198.51.100.80\nopt 1232 ede 4 By order"},
    {"no such name", QUERY("0100", "0000") NAME A, false, DNS_RCODE_NXDOMAIN, NULL, 0, TARGET_SOA,
     "NXDOMAIN 0 qr rd ra\nWww.KickAss.to. IN A" LEADS
     "\nauthority blocked.example. 10 IN SOA . x.no. 1 2 3 4 5"},
    {"nothing", QUERY("0100", "0000") NAME A, false, DNS_RCODE_SERVFAIL, NULL, 0, NULL,
     "SERVFAIL 0 qr rd ra\nWww.KickAss.to. IN A" LEADS},
    {"the text goes first", QUERY("0100", "0001") NAME A "00 0029 0200 00000000 0000", false,
     DNS_RCODE_NOERROR, TARGET_A, 14, NULL, "15 0 \nopt 1232 ede 4 "},
    {"then the authority", QUERY("0100", "0001") NAME A "00 0029 0200 00000000 0000", false,
     DNS_RCODE_NOERROR, TARGET_A, 13, TARGET_SOA, "14 0 \nopt 1232 ede 4 "},
    {"then all records", QUERY("0100", "0001") NAME A "00 0029 0200 00000000 0000", false,
     DNS_RCODE_NOERROR, TARGET_A, 15, TARGET_SOA, "0 0 tc \nopt 1232 ede 4 "},
    {"a stream has room", QUERY("0100", "0001") NAME A "00 0029 0200 00000000 0000", true,
     DNS_RCODE_NOERROR, TARGET_A, 60, TARGET_SOA, "61 1 \nopt 1232 ede 4 By order"},
    {"but not for ever", QUERY("0100", "0000") NAME A, true, DNS_RCODE_NOERROR, TARGET_A, 70, NULL,
     ""},
};

/* So many records, one behind the other. */
static struct span repeat(const char *record, unsigned times, uint8_t *out, size_t size)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct span_writer writer = span_writer(out, size);
    for (unsigned i = 0; i < times; i++) {
        span_write(&writer, wire_parse(record, bytes));
    }
    ck_assert(!writer.failed);
    return (struct span){out, writer.size};
}

/* Counts where the whole would be long. */
static void report_counts(struct report *out, const char *label, uint8_t *bytes, size_t size)
{
    knot_pkt_t *packet = read_answer(label, bytes, size);
    out->used = 0;
    report(out, "%u %u%s ", knot_wire_get_ancount(bytes), knot_wire_get_nscount(bytes),
           knot_wire_get_tc(bytes) ? " tc" : "");
    report_opt(out, packet);
    knot_pkt_free(packet);
}

static void check_tail(size_t i)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    uint8_t records[2][4096];
    uint8_t out[2048];
    struct span_writer writer = span_writer(out, sizeof out);
    struct block_query query = read_query(wire_parse(TAILS[i].message, bytes));
    query.stream = TAILS[i].stream;
    struct block_tail tail = {.rcode = TAILS[i].rcode};
    tail.answer = repeat(TAILS[i].answer, TAILS[i].answers, records[0], sizeof records[0]);
    tail.answer_count = (uint16_t)TAILS[i].answers;
    tail.authority_count = TAILS[i].authority != NULL;
    tail.authority =
        repeat(TAILS[i].authority, tail.authority_count, records[1], sizeof records[1]);
    size_t size = block_cname(&query, &CNAME, &COOKIE_ENV, &tail, &writer);
    struct report got = {.text = ""};
    if (size > 0 && TAILS[i].answers < 2) {
        report_answer(&got, TAILS[i].label, out, size);
    } else if (size > 0) {
        report_counts(&got, TAILS[i].label, out, size);
    }
    ck_assert_msg(strcmp(got.text, TAILS[i].expected) == 0, "%s: got\n%s", TAILS[i].label,
                  got.text);
    ck_assert_msg(query.stream || size <= 512 || !query.edns.present, "%s", TAILS[i].label);
}

START_TEST(a_cname_leads_to_what_upstream_says)
{
    for (size_t i = 0; i < ROWS(TAILS); i++) {
        check_tail(i);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("block_cname");
    TCase *tcase = tcase_create("block_cname");
    tcase_add_test(tcase, a_cname_leads_to_what_upstream_says);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
