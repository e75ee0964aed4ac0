/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Questions, and answers to them. Input: two octets with the size of the first message, then two
 * messages. libknot is the independent reader of both.
 */
#include <assert.h>
#include <libknot/libknot.h>
#include <string.h>

#include "forwarder/wire/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads a question, as libknot must read it too. */
static enum dns_question_outcome read_question(struct span message, struct dns_question *out)
{
    enum dns_question_outcome outcome = dns_question_decode(message, out);
    static uint8_t copy[DNS_MESSAGE_MAX];
    memcpy(copy, message.bytes, message.size);
    knot_pkt_t *packet = knot_pkt_new(copy, (uint16_t)message.size, NULL);
    bool one = knot_pkt_parse_question(packet) == KNOT_EOK && knot_pkt_question_size(packet) > 0;
    assert((outcome == DNS_QUESTION_ONE) == one);
    if (one) {
        assert(out->qname.bytes == message.bytes + DNS_HEADER_SIZE);
        assert(out->bytes.bytes == out->qname.bytes);
        assert(out->bytes.size == knot_pkt_question_size(packet));
        assert(out->qname.size + 4 == out->bytes.size && out->qname.size <= DNS_NAME_MAX);
        assert(out->qtype == knot_pkt_qtype(packet) && out->qclass == knot_pkt_qclass(packet));
    }
    knot_pkt_free(packet);
    return outcome;
}

static bool knot_says_same(const struct dns_question *a, const struct dns_question *b)
{
    return knot_dname_is_case_equal(a->qname.bytes, b->qname.bytes) && a->qtype == b->qtype &&
           a->qclass == b->qclass;
}

/* Its own bytes with QR=1 always answer a message. */
static void check_echo(struct span query)
{
    static uint8_t echo[DNS_MESSAGE_MAX];
    memcpy(echo, query.bytes, query.size);
    echo[2] |= DNS_FLAG_QR >> 8;
    assert(dns_answers_query(query, (struct span){echo, query.size}, false));
    echo[2] ^= DNS_FLAG_QR >> 8;
    assert(!dns_answers_query(query, (struct span){echo, query.size}, true));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > DNS_MESSAGE_MAX) {
        return 0;
    }
    struct span_reader reader = span_reader((struct span){data, size});
    struct span query = span_read(&reader, span_read_u16(&reader));
    struct span answer = span_read(&reader, size - reader.at);
    struct dns_header header;
    if (query.size < DNS_HEADER_SIZE || !dns_header_decode(answer, &header)) {
        assert(!dns_answers_query(query, answer, true));
        return 0;
    }
    struct dns_question asked;
    struct dns_question answered;
    enum dns_question_outcome query_outcome = read_question(query, &asked);
    enum dns_question_outcome answer_outcome = read_question(answer, &answered);
    bool belongs = dns_answers_query(query, answer, false);
    assert(!belongs || (header.flags & DNS_FLAG_QR) != 0);
    assert(!belongs || dns_answers_query(query, answer, true));
    if (query_outcome == DNS_QUESTION_ONE && answer_outcome == DNS_QUESTION_ONE) {
        assert(dns_question_same(&asked, &answered) == knot_says_same(&asked, &answered));
        assert(!belongs || knot_says_same(&asked, &answered));
    }
    check_echo(query);
    return 0;
}
