/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The question for a target, and reading the answer to it (see cname_target.h).
 */
#include "forwarder/cname_target.h"

#include "forwarder/wire/record_data.h"
#include "policy/order_action.h"

#define META_FIRST 128 /* types that no record has */
#define META_LAST 255

static bool is_asked(const struct dns_question *question)
{
    bool meta = question->qtype >= META_FIRST && question->qtype <= META_LAST;
    return !meta && question->qtype != DNS_TYPE_CNAME &&
           (question->qclass == DNS_CLASS_IN || question->qclass == DNS_CLASS_ANY);
}

size_t cname_target_query(struct span query, const struct dname *target,
                          uint8_t out[static CNAME_TARGET_QUERY_MAX])
{
    struct dns_header header;
    struct dns_question question;
    struct edns_query edns;
    struct dname qname, name;
    if (!dns_header_decode(query, &header) ||
        dns_question_decode(query, &question) != DNS_QUESTION_ONE || !is_asked(&question) ||
        !dname_decode(question.qname.bytes, question.qname.size, &qname) ||
        !order_action_target(target, &qname, &name)) {
        return 0;
    }
    edns_query_decode(query, &question, &edns);
    struct span_writer writer = span_writer(out, CNAME_TARGET_QUERY_MAX);
    uint8_t fixed[DNS_HEADER_SIZE] = {0};
    span_put_u16(fixed + 2, (uint16_t)(DNS_FLAG_RD | (header.flags & DNS_FLAG_CD)));
    span_put_u16(fixed + 4, 1);
    span_put_u16(fixed + 10, edns.present);
    span_write(&writer, (struct span){fixed, sizeof fixed});
    span_write(&writer, (struct span){name.wire, name.size});
    span_write_u16(&writer, question.qtype);
    span_write_u16(&writer, DNS_CLASS_IN);
    if (edns.present) {
        edns_answer_encode(&writer, &(struct edns_answer){.dnssec_ok = edns.dnssec_ok});
    }
    return writer.size;
}

/* Copies one record; false if it cannot be read, or does not fit. */
static bool write_record(struct span answer, const struct records_record *record,
                         const struct records_name *owner, struct span_writer *writer)
{
    span_write(writer, (struct span){owner->wire, owner->size});
    span_write_u16(writer, record->type);
    span_write_u16(writer, record->class);
    span_write_u32(writer, record->ttl);
    return record_data_write(answer, record, writer) && !writer->failed;
}

static bool is_wanted(const struct records_record *record, const struct dname *owner,
                      const struct dname *qname)
{
    switch (record->section) {
    case RECORDS_ANSWER:
        return !dname_equal(owner, qname);
    case RECORDS_AUTHORITY:
        return record->type == DNS_TYPE_SOA;
    case RECORDS_ADDITIONAL:
        break;
    }
    return false;
}

/* Copies what is wanted of one record; false if that cannot be read, or does not fit. */
static bool take_record(struct span answer, const struct records_record *record,
                        const struct dname *qname, struct span_writer *writer,
                        uint16_t taken[static RECORDS_SECTIONS])
{
    struct records_name name;
    struct dname owner;
    size_t at = record->owner;
    if (!records_name_read(answer, &at, answer.size, &name) ||
        !dname_decode(name.wire, name.size, &owner)) {
        return false;
    }
    if (!is_wanted(record, &owner, qname)) {
        return true;
    }
    taken[record->section]++;
    return write_record(answer, record, &name, writer);
}

bool cname_target_read(struct span answer, const struct dname *qname, struct span_writer *writer,
                       struct block_tail *out)
{
    struct dns_header header;
    struct records records = records_begin(answer);
    struct records_record record;
    uint16_t taken[RECORDS_SECTIONS] = {0};
    size_t answer_size = 0;
    while (records_next(&records, &record)) {
        if (!take_record(answer, &record, qname, writer, taken)) {
            return false;
        }
        if (record.section == RECORDS_ANSWER) {
            answer_size = writer->size;
        }
    }
    if (records.broken || !dns_header_decode(answer, &header)) {
        return false;
    }
    *out = (struct block_tail){
        .rcode = (enum dns_rcode)dns_rcode(&header),
        .truncated = (header.flags & DNS_FLAG_TC) != 0,
        .answer = {writer->bytes, answer_size},
        .answer_count = taken[RECORDS_ANSWER],
        .authority = {writer->bytes + answer_size, writer->size - answer_size},
        .authority_count = taken[RECORDS_AUTHORITY],
    };
    return true;
}
