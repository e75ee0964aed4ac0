/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Cutting answers (see answer_fit.h).
 */
#include "forwarder/answer_fit.h"

#include "forwarder/wire/edns.h"
#include "forwarder/wire/opt_record.h"

size_t answer_fit_limit(struct span query)
{
    struct dns_question question;
    struct edns_query edns;
    if (dns_question_decode(query, &question) != DNS_QUESTION_ONE) {
        return DNS_UDP_DEFAULT;
    }
    edns_query_decode(query, &question, &edns);
    return edns.udp_size;
}

static void write_opt(struct span_writer *writer, struct span answer, size_t limit)
{
    struct opt_record opt;
    if (opt_record_find(answer, &opt) != OPT_RECORD_ONE) {
        return;
    }
    const uint8_t *begin = answer.bytes + opt.record.owner;
    size_t size = opt.end - opt.record.owner;
    if (writer->size + size <= limit) {
        span_write(writer, (struct span){begin, size});
    } else {
        span_write(writer, (struct span){begin, OPT_RECORD_FIXED - 2});
        span_write_u16(writer, 0);
    }
    writer->bytes[11] = 1; /* ARCOUNT */
}

size_t answer_fit_cut(struct span answer, size_t limit, uint8_t out[static BLOCK_ANSWER_MAX])
{
    struct span_writer writer = span_writer(out, BLOCK_ANSWER_MAX);
    struct dns_question question;
    span_write(&writer, (struct span){answer.bytes, 4}); /* ID and flags */
    out[2] |= DNS_FLAG_TC >> 8;
    bool one = dns_question_decode(answer, &question) == DNS_QUESTION_ONE;
    span_write_u16(&writer, one ? 1 : 0);
    span_write_u16(&writer, 0);
    span_write_u32(&writer, 0);
    if (one) {
        span_write(&writer, question.bytes);
    }
    write_opt(&writer, answer, limit < BLOCK_ANSWER_MAX ? limit : BLOCK_ANSWER_MAX);
    return writer.size;
}
