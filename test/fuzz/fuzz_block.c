/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Any query, answered in every way. Input: seven octets that choose the block's text, then the
 * query. Every answer must fit, repeat the question, have the right bits in its header, and be a
 * whole message for libknot.
 */
#include <assert.h>
#include <libknot/libknot.h>
#include <string.h>

#include "forwarder/block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t SECRET[EDNS_COOKIE_SECRET] = "a secret";
static const uint8_t CLIENT[] = {192, 0, 2, 1};
static const struct edns_cookie_env COOKIE = {
    .secret = SECRET, .client = {CLIENT, sizeof CLIENT}, .now = 1};

/* RNAMEs: none, and prefixed by as many labels of one octet as the choice says. */
static struct span choose_rname(uint8_t choice, uint8_t out[static DNS_NAME_MAX])
{
    struct span_writer writer = span_writer(out, DNS_NAME_MAX);
    for (unsigned label = 0; label < choice % 128U; label++) {
        span_write(&writer, (struct span){(const uint8_t *)"\1x", 2});
    }
    span_write_u8(&writer, 0);
    assert(!writer.failed);
    return choice == 0 ? (struct span){0} : (struct span){out, writer.size};
}

/* The start of a label of the qname, or its root. */
static unsigned choose_label(uint8_t choice, struct span qname)
{
    unsigned at = 0;
    for (unsigned i = 0; i < choice && qname.bytes[at] != 0; i++) {
        at += 1U + qname.bytes[at];
    }
    return at;
}

static size_t limit_of(const struct block_query *query)
{
    if (query->stream) {
        return BLOCK_ANSWER_MAX;
    }
    size_t limit = query->edns.present ? query->edns.udp_size : DNS_UDP_DEFAULT;
    return limit > BLOCK_ANSWER_MAX ? BLOCK_ANSWER_MAX : limit;
}

/* TC aside. */
static void check_header(const struct dns_header *query, const struct dns_header *answer,
                         unsigned rcode)
{
    unsigned copied = DNS_OPCODE_MASK | DNS_FLAG_RD | DNS_FLAG_CD;
    assert(answer->id == query->id);
    assert((answer->flags & ~DNS_FLAG_TC) ==
           (DNS_FLAG_QR | DNS_FLAG_RA | (query->flags & copied) | (rcode & 15)));
}

/* How an answer may say that a stream has room: always, never, or only if it holds no record. */
enum truncation {
    ALWAYS,
    NEVER,
    WHERE_EMPTY
};

static void check_truncation(const struct block_query *query, const struct dns_header *answer,
                             enum truncation truncation)
{
    bool truncated = (answer->flags & DNS_FLAG_TC) != 0;
    bool empty = answer->ancount == 0 && answer->nscount == 0;
    assert(truncation != ALWAYS || (truncated && empty));
    assert(truncation != NEVER || !truncated);
    assert(truncation != WHERE_EMPTY || truncated == (empty && !query->stream));
}

static void check_answer(const struct block_query *query, uint8_t *bytes, size_t size,
                         unsigned rcode)
{
    struct dns_header header;
    struct dns_question question;
    assert(query->stream || size <= limit_of(query));
    assert(dns_header_decode((struct span){bytes, size}, &header));
    check_header(&query->header, &header, rcode);
    assert(dns_question_decode((struct span){bytes, size}, &question) == DNS_QUESTION_ONE);
    assert(question.bytes.size == query->question.bytes.size);
    assert(memcmp(question.bytes.bytes, query->question.bytes.bytes, question.bytes.size) == 0);

    knot_pkt_t *packet = knot_pkt_new(bytes, (uint16_t)size, NULL);
    assert(knot_pkt_parse(packet, KNOT_PF_KEEPWIRE | KNOT_PF_NOCANON) == KNOT_EOK);
    assert((packet->opt_rr != NULL) == query->edns.present);
    assert(packet->opt_rr == NULL || knot_pkt_ext_rcode(packet) == rcode);
    assert(packet->opt_rr == NULL || knot_edns_do(packet->opt_rr) == query->edns.dnssec_ok);
    knot_pkt_free(packet);
}

static void check_rcodes(const struct block_query *query)
{
    static const enum dns_rcode RCODES[] = {DNS_RCODE_FORMERR, DNS_RCODE_SERVFAIL,
                                            DNS_RCODE_REFUSED, DNS_RCODE_BADVERS};
    uint8_t out[BLOCK_ANSWER_MAX];
    for (size_t i = 0; i < sizeof RCODES / sizeof RCODES[0]; i++) {
        size_t size = block_rcode(query, RCODES[i], (int)i - 1, &COOKIE, out);
        check_answer(query, out, size, RCODES[i]);
    }
}

static void check_kinds(const struct block_query *query, struct block_text text)
{
    static const struct {
        enum block_kind kind;
        enum dns_rcode rcode;
        enum truncation truncation;
    } KINDS[] = {{BLOCK_REFUSED, DNS_RCODE_REFUSED, NEVER},
                 {BLOCK_NXDOMAIN, DNS_RCODE_NXDOMAIN, NEVER},
                 {BLOCK_NODATA, DNS_RCODE_NOERROR, NEVER},
                 {BLOCK_RECORDS, DNS_RCODE_NOERROR, WHERE_EMPTY},
                 {BLOCK_TRUNCATED, DNS_RCODE_NOERROR, ALWAYS}};
    uint8_t out[BLOCK_ANSWER_MAX];
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        struct dns_header header;
        text.kind = KINDS[i].kind;
        size_t size = block_answer(query, &text, &COOKIE, out);
        assert(size <= limit_of(query));
        check_answer(query, out, size, KINDS[i].rcode);
        assert(dns_header_decode((struct span){out, size}, &header));
        check_truncation(query, &header, KINDS[i].truncation);
    }
}

/* The first record leads to as many copies of one that is no CNAME. */
static void check_cname(const struct block_query *query, struct block_text text, uint8_t count)
{
    static const uint8_t record[] = {0, 0, DNS_TYPE_A, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1};
    static const uint8_t target[] = "\6target";
    const struct block_record cname = {DNS_TYPE_CNAME, {target, sizeof target}};
    uint8_t records[255 * sizeof record];
    uint8_t out[2048];
    struct span_writer tail_writer = span_writer(records, sizeof records);
    for (unsigned i = 0; i < count; i++) {
        span_write(&tail_writer, (struct span){record, sizeof record});
    }
    const struct block_tail tail = {.rcode = DNS_RCODE_NXDOMAIN,
                                    .answer = {records, tail_writer.size},
                                    .answer_count = count,
                                    .authority = {record, count > 0 ? sizeof record : 0},
                                    .authority_count = count > 0};
    struct span_writer writer = span_writer(out, sizeof out);
    text.kind = BLOCK_RECORDS;
    text.records = &cname;
    text.record_count = 1;
    size_t size = block_cname(query, &text, &COOKIE, &tail, &writer);
    assert(size == writer.size && !writer.failed);
    assert(size > 0 || query->stream);
    if (size > 0) {
        check_answer(query, out, size, DNS_RCODE_NXDOMAIN);
    }
}

static void check_header_only(const struct dns_header *query)
{
    uint8_t out[BLOCK_ANSWER_MAX];
    struct dns_header answer;
    assert(block_header_only(query, DNS_RCODE_FORMERR, out) == DNS_HEADER_SIZE);
    assert(dns_header_decode((struct span){out, DNS_HEADER_SIZE}, &answer));
    check_header(query, &answer, DNS_RCODE_FORMERR);
    assert((answer.qdcount | answer.ancount | answer.nscount | answer.arcount) == 0);
}

/* TXT records of one octet, and of as many as a string holds. */
static const struct block_record *all_records(void)
{
    static const uint8_t empty[1];
    static uint8_t full[256] = {255};
    static struct block_record records[BLOCK_RECORDS_MAX];
    for (size_t i = 0; i < BLOCK_RECORDS_MAX; i++) {
        records[i] = (struct block_record){DNS_TYPE_TXT, {empty, sizeof empty}};
        if (i % 3 == 0) {
            records[i].data = (struct span){full, sizeof full};
        }
    }
    return records;
}

static struct span prefix(struct span span, size_t size)
{
    return (struct span){span.bytes, size < span.size ? size : span.size};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span_reader reader = span_reader((struct span){data, size});
    uint8_t options = span_read_u8(&reader); /* 1: stream; 2: no EDE */
    uint8_t label = span_read_u8(&reader);
    uint8_t rname_choice = span_read_u8(&reader);
    uint8_t count = span_read_u8(&reader);
    uint16_t text_size = span_read_u16(&reader);
    uint8_t ttl = span_read_u8(&reader);
    struct span message = span_read(&reader, size - reader.at);
    struct block_query query = {.stream = (options & 1) != 0};
    if (!dns_header_decode(message, &query.header)) {
        return 0;
    }
    check_header_only(&query.header);
    if (dns_question_decode(message, &query.question) != DNS_QUESTION_ONE) {
        return 0;
    }
    edns_query_decode(message, &query.question, &query.edns);
    uint8_t rname[DNS_NAME_MAX];
    struct block_text text = {
        .matched = choose_label(label, query.question.qname),
        .ttl = ttl,
        .rname = choose_rname(rname_choice, rname),
        .records = all_records() + (count & 1),
        .record_count = 1U + count % (BLOCK_RECORDS_MAX - 1),
        .info_code = 16,
        .has_error = (options & 2) == 0,
        .extra_text = prefix(message, text_size),
        .short_text = prefix(message, text_size / 2),
    };
    check_kinds(&query, text);
    check_cname(&query, text, count);
    check_rcodes(&query);
    return 0;
}
