/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Header and question of a DNS message, and whether an answer belongs to a query. No record is
 * read here and no compression pointer followed. Every octet is looked at once, in bounds.
 */
#include "forwarder/wire/dns.h"

#include <string.h>

/* The size of the uncompressed name that bytes begin with, root label included; 0 when there is
 * none. Only 00 marks a label's length in the upper two bits (RFC 1035 section 4.1.4). */
static size_t name_size(struct span bytes)
{
    size_t limit = bytes.size < DNS_NAME_MAX ? bytes.size : DNS_NAME_MAX;
    size_t at = 0;
    while (at < limit) {
        size_t length = bytes.bytes[at];
        if (length == 0) {
            return at + 1;
        }
        if (length > DNS_LABEL_MAX) {
            return 0;
        }
        at += 1 + length;
    }
    return 0;
}

/* QDCOUNT of a message that has a header. */
static uint16_t question_count(struct span message)
{
    return span_u16(message.bytes + 4);
}

/* What stands behind the header of a message that has one. */
static struct span behind_header(struct span message)
{
    return (struct span){message.bytes + DNS_HEADER_SIZE, message.size - DNS_HEADER_SIZE};
}

enum dns_question_outcome dns_question_decode(struct span message, struct dns_question *out)
{
    if (message.size < DNS_HEADER_SIZE) {
        return DNS_QUESTION_UNREADABLE;
    }
    if (question_count(message) != 1) {
        return question_count(message) == 0 ? DNS_QUESTION_NONE : DNS_QUESTION_UNREADABLE;
    }
    struct span rest = behind_header(message);
    size_t size = name_size(rest);
    if (size == 0 || rest.size - size < DNS_QUESTION_FIXED) {
        return DNS_QUESTION_UNREADABLE;
    }
    *out = (struct dns_question){
        .qname = {rest.bytes, size},
        .qtype = span_u16(rest.bytes + size),
        .qclass = span_u16(rest.bytes + size + 2),
        .bytes = {rest.bytes, size + DNS_QUESTION_FIXED},
    };
    return DNS_QUESTION_ONE;
}

static uint8_t fold(uint8_t octet)
{
    return octet >= 'A' && octet <= 'Z' ? (uint8_t)(octet | 0x20) : octet;
}

/* Folds length octets too, which changes none: they are at most 63, below every letter. */
static bool same_name(struct span a, struct span b)
{
    if (a.size != b.size) {
        return false;
    }
    for (size_t i = 0; i < a.size; i++) {
        if (fold(a.bytes[i]) != fold(b.bytes[i])) {
            return false;
        }
    }
    return true;
}

bool dns_question_same(const struct dns_question *a, const struct dns_question *b)
{
    return a->qtype == b->qtype && a->qclass == b->qclass && same_name(a->qname, b->qname);
}

/* Servers that could not or would not read a question may answer without it; to an UPDATE every
 * server may (RFC 2136 section 3.8). */
static bool may_omit_question(const struct dns_header *answer)
{
    unsigned rcode = dns_rcode(answer);
    return dns_opcode(answer) == DNS_OPCODE_UPDATE || rcode == DNS_RCODE_FORMERR ||
           rcode == DNS_RCODE_NOTIMP || rcode == DNS_RCODE_SERVFAIL || rcode == DNS_RCODE_REFUSED;
}

/* Do both have one question, in the same octets? Nearly every answer does; only one that does not
 * is read. Both messages have a header. */
static bool repeats_question(struct span query, struct span answer)
{
    struct span asked = behind_header(query);
    struct span answered = behind_header(answer);
    if (question_count(query) != 1 || question_count(answer) != 1) {
        return false;
    }
    size_t name = name_size(asked);
    size_t size = name + DNS_QUESTION_FIXED;
    return name > 0 && size <= asked.size && size <= answered.size &&
           memcmp(asked.bytes, answered.bytes, size) == 0;
}

/* The same for an answer to a query whose question could be read. */
static bool answers_question(const struct dns_question *asked, struct span answer,
                             const struct dns_header *header, bool in_transfer)
{
    struct dns_question answered;
    bool may_omit = in_transfer || may_omit_question(header);
    switch (dns_question_decode(answer, &answered)) {
    case DNS_QUESTION_ONE:
        return dns_question_same(asked, &answered);
    case DNS_QUESTION_NONE:
        return may_omit;
    case DNS_QUESTION_UNREADABLE:
        /* A header alone: NSD copies QDCOUNT from what it cannot read, and no question. */
        return may_omit && answer.size == DNS_HEADER_SIZE;
    }
    return false;
}

/* Does the question of an answer that does not repeat it match nevertheless? Apart, so that those
 * that repeat it do not pay for it. */
static __attribute__((noinline)) bool answers_when_read(struct span query, struct span answer,
                                                        bool in_transfer)
{
    struct dns_question asked;
    struct dns_header header;
    if (!dns_header_decode(answer, &header)) {
        return false;
    }
    switch (dns_question_decode(query, &asked)) {
    case DNS_QUESTION_ONE:
        return answers_question(&asked, answer, &header, in_transfer);
    case DNS_QUESTION_NONE:
        return header.qdcount == 0;
    case DNS_QUESTION_UNREADABLE:
        return true;
    }
    return false;
}

bool dns_answers_query(struct span query, struct span answer, bool in_transfer)
{
    struct dns_header query_header;
    struct dns_header header;
    if (!dns_header_decode(query, &query_header) || !dns_header_decode(answer, &header) ||
        (header.flags & DNS_FLAG_QR) == 0 || dns_opcode(&header) != dns_opcode(&query_header)) {
        return false;
    }
    return repeats_question(query, answer) || answers_when_read(query, answer, in_transfer);
}
