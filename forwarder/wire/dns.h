/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * As much of a DNS message as a forwarder may look at: the header (RFC 1035 section 4.1.1), one
 * question (4.1.2), and where the OPT record is (RFC 6891). Nothing else is parsed. Pure functions
 * over borrowed bytes; hostile input yields an outcome, never a read past the end.
 */
#pragma once

#include "forwarder/wire/span.h"

#define DNS_HEADER_SIZE 12
#define DNS_NAME_MAX 255
#define DNS_LABEL_MAX 63
#define DNS_QUESTION_FIXED 4 /* octets of a question behind its name: type and class */
#define DNS_QUESTION_MAX (DNS_NAME_MAX + DNS_QUESTION_FIXED)
#define DNS_RECORD_FIXED 10 /* of a record behind its owner: type, class, TTL and RDLENGTH */
#define DNS_MESSAGE_MAX 65535
#define DNS_UDP_DEFAULT 512 /* what a client takes over UDP when it sends no OPT */
#define DNS_ARCOUNT_AT 10   /* where a message counts its additional records */

/* The upper two bits of a length octet that begins a compression pointer (RFC 1035 section 4.1.4).
 */
#define DNS_POINTER_MARK 0xc0U
#define DNS_POINTER_SIZE 2

enum dns_opcode {
    DNS_OPCODE_QUERY = 0,
    DNS_OPCODE_STATUS = 2,
    DNS_OPCODE_NOTIFY = 4,
    DNS_OPCODE_UPDATE = 5,
    DNS_OPCODE_DSO = 6,
};

enum dns_rcode {
    DNS_RCODE_NOERROR = 0,
    DNS_RCODE_FORMERR = 1,
    DNS_RCODE_SERVFAIL = 2,
    DNS_RCODE_NXDOMAIN = 3,
    DNS_RCODE_NOTIMP = 4,
    DNS_RCODE_REFUSED = 5,
    DNS_RCODE_YXDOMAIN = 6,   /* also where a name would become too long (RFC 6672) */
    DNS_RCODE_BADVERS = 16,   /* extended (RFC 6891 section 9) */
    DNS_RCODE_BADCOOKIE = 23, /* likewise (RFC 7873 section 8) */
};

enum dns_type {
    DNS_TYPE_A = 1,
    DNS_TYPE_CNAME = 5,
    DNS_TYPE_SOA = 6,
    DNS_TYPE_TXT = 16,
    DNS_TYPE_SIG = 24,
    DNS_TYPE_AAAA = 28,
    DNS_TYPE_DNAME = 39,
    DNS_TYPE_OPT = 41,
    DNS_TYPE_DS = 43,
    DNS_TYPE_RRSIG = 46,
    DNS_TYPE_DNSKEY = 48,
    DNS_TYPE_SVCB = 64,
    DNS_TYPE_HTTPS = 65,
    DNS_TYPE_TSIG = 250,
    DNS_TYPE_IXFR = 251,
    DNS_TYPE_AXFR = 252,
    DNS_TYPE_ANY = 255, /* in questions only */
};

#define DNS_CLASS_IN 1
#define DNS_CLASS_ANY 255 /* in questions only */

/* Bits of the second 16-bit word of the header. */
#define DNS_FLAG_QR 0x8000U
#define DNS_OPCODE_MASK 0x7800U
#define DNS_FLAG_AA 0x0400U
#define DNS_FLAG_TC 0x0200U
#define DNS_FLAG_RD 0x0100U
#define DNS_FLAG_RA 0x0080U
#define DNS_FLAG_AD 0x0020U
#define DNS_FLAG_CD 0x0010U
#define DNS_RCODE_MASK 0x000fU

struct dns_header {
    uint16_t id;
    uint16_t flags; /* the whole word: QR opcode AA TC RD RA Z AD CD rcode */
    uint16_t qdcount;
    uint16_t ancount;
    uint16_t nscount;
    uint16_t arcount;
};

/* False, and *out as it was, for a message shorter than a header. Inline: it is the first look at
 * every message. */
static inline bool dns_header_decode(struct span message, struct dns_header *out)
{
    if (message.size < DNS_HEADER_SIZE) {
        return false;
    }
    *out = (struct dns_header){
        .id = span_u16(message.bytes),
        .flags = span_u16(message.bytes + 2),
        .qdcount = span_u16(message.bytes + 4),
        .ancount = span_u16(message.bytes + 6),
        .nscount = span_u16(message.bytes + 8),
        .arcount = span_u16(message.bytes + DNS_ARCOUNT_AT),
    };
    return true;
}

static inline unsigned dns_opcode(const struct dns_header *header)
{
    return (header->flags & DNS_OPCODE_MASK) >> 11;
}

/* The four bits of the header; an OPT may hold eight more. */
static inline unsigned dns_rcode(const struct dns_header *header)
{
    return header->flags & DNS_RCODE_MASK;
}

/* Reads or replaces the ID in place; the message has at least two octets. */
static inline uint16_t dns_id(const uint8_t *message)
{
    return span_u16(message);
}

static inline void dns_set_id(uint8_t *message, uint16_t id)
{
    span_put_u16(message, id);
}

/* A compression pointer to a place in the message, and the place that two such octets point to. */
static inline uint16_t dns_pointer(size_t at)
{
    return (uint16_t)(DNS_POINTER_MARK << 8 | at);
}

static inline size_t dns_pointer_target(const uint8_t *pointer)
{
    return span_u16(pointer) & ~(DNS_POINTER_MARK << 8);
}

static inline bool dns_is_pointer(uint8_t length)
{
    return (length & DNS_POINTER_MARK) == DNS_POINTER_MARK;
}

struct dns_question {
    struct span qname; /* as it came, uncompressed, root label included; inside the message */
    uint16_t qtype;
    uint16_t qclass;
    struct span bytes; /* name, type and class: what an answer must repeat */
};

/* The question section, which is to hold one question. */
enum dns_question_outcome {
    DNS_QUESTION_ONE,
    DNS_QUESTION_NONE,       /* QDCOUNT 0 */
    DNS_QUESTION_UNREADABLE, /* QDCOUNT 2 or more; a compressed, over-long or cut name; no type or
                              * class behind it; no header */
};

/* Sets *out only for DNS_QUESTION_ONE. */
enum dns_question_outcome dns_question_decode(struct span message, struct dns_question *out);

/* Same length, and the same octets but for ASCII case in the name; type and class exactly. */
bool dns_question_same(const struct dns_question *a, const struct dns_question *b);

/* Does an answer belong to a query as far as its question tells (RFC 5452 section 4.2)? The answer
 * has QR=1, the query's opcode and the same question; an absent question (QDCOUNT 0, or nothing
 * behind the header) counts in FORMERR, NOTIMP, SERVFAIL and REFUSED, to an UPDATE (RFC 2136
 * section 3.8), for a query without one (which accepts nothing else), and when in_transfer is set:
 * messages of an AXFR or IXFR may leave it out. A query whose question cannot be read has nothing
 * to compare: true. A message without a header belongs to nothing. ID and addresses are the
 * caller's business. */
bool dns_answers_query(struct span query, struct span answer, bool in_transfer);
