/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Header and question of a DNS message, and whether an answer belongs to a query. No record is
 * read here and no compression pointer followed. Every octet is looked at once, in bounds.
 */
#include "forwarder/wire/dns.h"

#include <string.h>

bool dns_header_decode(struct span message, struct dns_header *out)
{
    struct span_reader reader = span_reader(message);
    out->id = span_read_u16(&reader);
    out->flags = span_read_u16(&reader);
    out->qdcount = span_read_u16(&reader);
    out->ancount = span_read_u16(&reader);
    out->nscount = span_read_u16(&reader);
    out->arcount = span_read_u16(&reader);
    return !reader.failed;
}

/* The size of the uncompressed name that bytes begin with, root label included; 0 when there is
 * none. Only 00 marks a label's length in the upper two bits (RFC 1035 section 4.1.4). */
static size_t name_size(struct span bytes)
{
    size_t limit = bytes.size < DNS_NAME_MAX ? bytes.size : DNS_NAME_MAX;
    size_t at = 0;
    while (at < limit) {
        uint8_t length = bytes.bytes[at];
        if (length == 0) {
            return at + 1;
        }
        if (length > DNS_LABEL_MAX) {
            return 0;
        }
        at += 1U + length;
    }
    return 0;
}

enum dns_question_outcome dns_question_decode(struct span message, struct dns_question *out)
{
    struct dns_header header;
    if (!dns_header_decode(message, &header)) {
        return DNS_QUESTION_UNREADABLE;
    }
    if (header.qdcount != 1) {
        return header.qdcount == 0 ? DNS_QUESTION_NONE : DNS_QUESTION_UNREADABLE;
    }
    struct span rest = {message.bytes + DNS_HEADER_SIZE, message.size - DNS_HEADER_SIZE};
    size_t size = name_size(rest);
    if (size == 0) {
        return DNS_QUESTION_UNREADABLE;
    }
    struct span_reader reader = span_reader(rest);
    struct dns_question question;
    question.qname = span_read(&reader, size);
    question.qtype = span_read_u16(&reader);
    question.qclass = span_read_u16(&reader);
    question.bytes = (struct span){rest.bytes, reader.at};
    if (reader.failed) {
        return DNS_QUESTION_UNREADABLE;
    }
    *out = question;
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

/* The same for an answer to a query whose question could be read. */
static bool answers_question(const struct dns_question *asked, struct span answer, bool may_omit)
{
    struct dns_question answered;
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

bool dns_answers_query(struct span query, struct span answer, bool in_transfer)
{
    struct dns_header query_header;
    struct dns_header header;
    if (!dns_header_decode(query, &query_header) || !dns_header_decode(answer, &header) ||
        (header.flags & DNS_FLAG_QR) == 0 || dns_opcode(&header) != dns_opcode(&query_header)) {
        return false;
    }
    struct dns_question asked;
    switch (dns_question_decode(query, &asked)) {
    case DNS_QUESTION_ONE:
        return answers_question(&asked, answer, in_transfer || may_omit_question(&header));
    case DNS_QUESTION_NONE:
        return header.qdcount == 0;
    case DNS_QUESTION_UNREADABLE:
        return true;
    }
    return false;
}
