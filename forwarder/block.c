/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An answer is drafted first and written once it is known to fit: draft_size is exactly what
 * draft_write writes, so the writer cannot fail. Nothing outlives a call.
 */
#include "forwarder/block.h"

#include <assert.h>

/* SOA of a zone that nobody transfers (RFC 6303 section 3). */
#define SOA_SERIAL 1
#define SOA_REFRESH 3600
#define SOA_RETRY 1200
#define SOA_EXPIRE 604800

#define RECORD_FIXED_SIZE 10 /* type, class, TTL and RDLENGTH, behind the owner */
#define SOA_FIXED_SIZE 20    /* five numbers, behind MNAME and RNAME */
#define POINTER_SIZE 2
#define POINTER_MARK 0xc000U

/* More addresses than any answer holds; however many an order gives, no more are looked at. */
#define ADDRESSES_MAX (BLOCK_ANSWER_MAX / RECORD_FIXED_SIZE)

static const uint8_t NOBODY[] = "\6nobody\7invalid"; /* its NUL is the root label */

/* An SOA whose owner and MNAME are pointers and whose RNAME is nobody.invalid. */
#define SOA_BARE_MAX \
    (POINTER_SIZE + RECORD_FIXED_SIZE + POINTER_SIZE + sizeof(NOBODY) + SOA_FIXED_SIZE)

static_assert(DNS_HEADER_SIZE + DNS_QUESTION_MAX + SOA_BARE_MAX + EDNS_ANSWER_BARE_MAX <=
                  DNS_UDP_DEFAULT,
              "behind the longest qname, what is never left out fits what any client takes");

struct draft {
    const struct block_query *query;
    const struct block_text *text; /* NULL where there are no records */
    enum dns_rcode rcode;
    bool has_soa;
    struct span rname;
    uint8_t address_size;   /* 4 or 16: the family that answers; 0: none does */
    size_t address_count;   /* how many of that family, from the first */
    struct edns_answer opt; /* unless the query has none */
    uint8_t cookie[EDNS_COOKIE_MAX];
};

/* In place: opt.cookie points into the draft. */
static void draft_init(struct draft *draft, const struct block_query *query, enum dns_rcode rcode,
                       const struct edns_cookie_env *cookie)
{
    *draft = (struct draft){.query = query, .rcode = rcode};
    draft->opt.dnssec_ok = query->edns.dnssec_ok;
    draft->opt.extended_rcode = (uint8_t)(rcode >> 4);
    draft->opt.cookie.size = edns_cookie_answer(&query->edns, cookie, draft->cookie);
    draft->opt.cookie.bytes = draft->cookie;
}

/* Size on the wire of the name at an offset of the qname, written as a pointer to it. */
static size_t suffix_size(const struct draft *draft, unsigned offset)
{
    return offset + 1 == draft->query->question.qname.size ? 1 : POINTER_SIZE;
}

/* The root needs no pointer. */
static void write_suffix(struct span_writer *writer, const struct draft *draft, unsigned offset)
{
    if (suffix_size(draft, offset) == 1) {
        span_write_u8(writer, 0);
    } else {
        span_write_u16(writer, (uint16_t)(POINTER_MARK | (DNS_HEADER_SIZE + offset)));
    }
}

static size_t soa_data_size(const struct draft *draft)
{
    return suffix_size(draft, draft->text->matched) + draft->rname.size + SOA_FIXED_SIZE;
}

static size_t draft_size(const struct draft *draft)
{
    size_t size = DNS_HEADER_SIZE + draft->query->question.bytes.size;
    size +=
        draft->address_count * (suffix_size(draft, 0) + RECORD_FIXED_SIZE + draft->address_size);
    if (draft->has_soa) {
        size += suffix_size(draft, draft->text->matched) + RECORD_FIXED_SIZE + soa_data_size(draft);
    }
    if (draft->query->edns.present) {
        size += edns_answer_size(&draft->opt);
    }
    return size;
}

static size_t size_limit(const struct block_query *query)
{
    if (query->stream) {
        return BLOCK_ANSWER_MAX;
    }
    size_t udp_size = query->edns.present ? query->edns.udp_size : DNS_UDP_DEFAULT;
    if (udp_size < DNS_UDP_DEFAULT) {
        return DNS_UDP_DEFAULT;
    }
    return udp_size < BLOCK_ANSWER_MAX ? udp_size : BLOCK_ANSWER_MAX;
}

/* Leaves out what does not fit, the least needed first. */
static void draft_fit(struct draft *draft)
{
    size_t limit = size_limit(draft->query);
    if (draft_size(draft) > limit) {
        draft->opt.extra_text.size = 0;
    }
    if (draft_size(draft) > limit && draft->has_soa) {
        draft->rname = (struct span){NOBODY, sizeof(NOBODY)};
    }
    while (draft_size(draft) > limit && draft->address_count > 0) {
        draft->address_count--;
    }
}

/* Type, class, TTL and RDLENGTH. */
static void write_record_fixed(struct span_writer *writer, const struct draft *draft,
                               enum dns_type type, size_t rdlength)
{
    uint16_t qclass = draft->query->question.qclass;
    span_write_u16(writer, (uint16_t)type);
    span_write_u16(writer, qclass == DNS_CLASS_ANY ? DNS_CLASS_IN : qclass);
    span_write_u32(writer, draft->text->ttl);
    span_write_u16(writer, (uint16_t)rdlength);
}

static void write_addresses(struct span_writer *writer, const struct draft *draft)
{
    const struct block_address *address = draft->text->addresses;
    for (size_t left = draft->address_count; left > 0; address++) {
        if (address->size != draft->address_size) {
            continue;
        }
        write_suffix(writer, draft, 0);
        write_record_fixed(writer, draft, address->size == 4 ? DNS_TYPE_A : DNS_TYPE_AAAA,
                           address->size);
        span_write(writer, (struct span){address->octet, address->size});
        left--;
    }
}

static void write_soa(struct span_writer *writer, const struct draft *draft)
{
    unsigned matched = draft->text->matched;
    write_suffix(writer, draft, matched);
    write_record_fixed(writer, draft, DNS_TYPE_SOA, soa_data_size(draft));
    write_suffix(writer, draft, matched);
    span_write(writer, draft->rname);
    span_write_u32(writer, SOA_SERIAL);
    span_write_u32(writer, SOA_REFRESH);
    span_write_u32(writer, SOA_RETRY);
    span_write_u32(writer, SOA_EXPIRE);
    span_write_u32(writer, draft->text->ttl);
}

static uint16_t answer_flags(const struct dns_header *query, enum dns_rcode rcode)
{
    unsigned copied = query->flags & (DNS_OPCODE_MASK | DNS_FLAG_RD | DNS_FLAG_CD);
    return (uint16_t)(DNS_FLAG_QR | DNS_FLAG_RA | copied | (rcode & DNS_RCODE_MASK));
}

static size_t draft_write(const struct draft *draft, uint8_t *out)
{
    const struct block_query *query = draft->query;
    struct span_writer writer = span_writer(out, BLOCK_ANSWER_MAX);
    span_write_u16(&writer, query->header.id);
    span_write_u16(&writer, answer_flags(&query->header, draft->rcode));
    span_write_u16(&writer, 1);
    span_write_u16(&writer, (uint16_t)draft->address_count);
    span_write_u16(&writer, draft->has_soa);
    span_write_u16(&writer, query->edns.present);
    span_write(&writer, query->question.bytes);
    if (draft->address_count > 0) {
        write_addresses(&writer, draft);
    }
    if (draft->has_soa) {
        write_soa(&writer, draft);
    }
    if (query->edns.present) {
        edns_answer_encode(&writer, &draft->opt);
    }
    return writer.size;
}

/* Octets of an address of the type asked for; 0 when the question asks for none. */
static uint8_t asked_address_size(const struct dns_question *question)
{
    if (question->qclass != DNS_CLASS_IN && question->qclass != DNS_CLASS_ANY) {
        return 0;
    }
    switch (question->qtype) {
    case DNS_TYPE_A:
        return 4;
    case DNS_TYPE_AAAA:
        return 16;
    default:
        return 0;
    }
}

static void draft_addresses(struct draft *draft)
{
    const struct block_text *text = draft->text;
    draft->address_size = asked_address_size(&draft->query->question);
    if (draft->address_size == 0) {
        return;
    }
    for (size_t i = 0; i < text->address_count && draft->address_count < ADDRESSES_MAX; i++) {
        draft->address_count += text->addresses[i].size == draft->address_size;
    }
}

size_t block_answer(const struct block_query *query, const struct block_text *text,
                    const struct edns_cookie_env *cookie, uint8_t out[static BLOCK_ANSWER_MAX])
{
    static const enum dns_rcode RCODES[] = {
        [BLOCK_REFUSED] = DNS_RCODE_REFUSED,
        [BLOCK_NXDOMAIN] = DNS_RCODE_NXDOMAIN,
        [BLOCK_NODATA] = DNS_RCODE_NOERROR,
        [BLOCK_ADDRESS] = DNS_RCODE_NOERROR,
    };
    struct draft draft;
    draft_init(&draft, query, RCODES[text->kind], cookie);
    draft.text = text;
    draft.opt.has_error = text->has_error;
    draft.opt.info_code = text->info_code;
    draft.opt.extra_text = text->extra_text;
    if (text->kind == BLOCK_ADDRESS) {
        draft_addresses(&draft);
    }
    draft.has_soa = text->kind != BLOCK_REFUSED && draft.address_count == 0;
    draft.rname = text->rname.size > 0 ? text->rname : (struct span){NOBODY, sizeof(NOBODY)};
    draft_fit(&draft);
    return draft_write(&draft, out);
}

size_t block_rcode(const struct block_query *query, enum dns_rcode rcode, int info_code,
                   const struct edns_cookie_env *cookie, uint8_t out[static BLOCK_ANSWER_MAX])
{
    struct draft draft;
    draft_init(&draft, query, rcode, cookie);
    draft.opt.has_error = info_code >= 0;
    draft.opt.info_code = (uint16_t)info_code;
    return draft_write(&draft, out);
}

size_t block_header_only(const struct dns_header *header, enum dns_rcode rcode,
                         uint8_t out[static BLOCK_ANSWER_MAX])
{
    struct span_writer writer = span_writer(out, BLOCK_ANSWER_MAX);
    span_write_u16(&writer, header->id);
    span_write_u16(&writer, answer_flags(header, rcode));
    for (int count = 0; count < 4; count++) {
        span_write_u16(&writer, 0);
    }
    return writer.size;
}
