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

#define SOA_FIXED_SIZE 20 /* five numbers, behind MNAME and RNAME */

static_assert(BLOCK_RECORDS_MAX >= BLOCK_ANSWER_MAX / (1 + DNS_RECORD_FIXED + 1),
              "an answer is full before its records run out");

static const uint8_t NOBODY[] = "\6nobody\7invalid"; /* its NUL is the root label */

/* An SOA whose owner and MNAME are pointers and whose RNAME is nobody.invalid. */
#define SOA_BARE_MAX \
    (DNS_POINTER_SIZE + DNS_RECORD_FIXED + DNS_POINTER_SIZE + sizeof NOBODY + SOA_FIXED_SIZE)

static_assert(DNS_HEADER_SIZE + DNS_QUESTION_MAX + SOA_BARE_MAX + EDNS_ANSWER_BARE_MAX <=
                  DNS_UDP_DEFAULT,
              "behind the longest qname, what is never left out fits what any client takes");

struct draft {
    const struct block_query *query;
    const struct block_text *text; /* NULL where there are no records */
    enum dns_rcode rcode;
    bool truncated;
    bool has_soa;
    struct span rname;
    size_t record_count;     /* of text->records, from the first */
    struct block_tail *tail; /* what stands behind them; NULL but for block_cname, whose it is */
    size_t limit;            /* octets that may leave */
    struct edns_answer opt;  /* unless the query has none */
    uint8_t cookie[EDNS_COOKIE_MAX];
};

/* In place: opt.cookie points into the draft. */
static void draft_init(struct draft *draft, const struct block_query *query, enum dns_rcode rcode,
                       const struct edns_cookie_env *cookie)
{
    /* One by one: the cookie, most of it, is set where there is one. */
    draft->query = query;
    draft->text = NULL;
    draft->rcode = rcode;
    draft->truncated = false;
    draft->has_soa = false;
    draft->record_count = 0;
    draft->tail = NULL;
    draft->opt = (struct edns_answer){
        .dnssec_ok = query->edns.dnssec_ok,
        .extended_rcode = (uint8_t)(rcode >> 4),
        .ecs = query->edns.ecs,
    };
    if (query->edns.cookie.size > 0) {
        draft->opt.cookie.size = edns_cookie_answer(&query->edns, cookie, draft->cookie);
        draft->opt.cookie.bytes = draft->cookie;
    }
}

/* Size on the wire of the name at an offset of the qname, written as a pointer to it. */
static size_t suffix_size(const struct draft *draft, unsigned offset)
{
    return offset + 1 == draft->query->question.qname.size ? 1 : DNS_POINTER_SIZE;
}

/* The root needs no pointer. */
static void write_suffix(struct span_writer *writer, const struct draft *draft, unsigned offset)
{
    if (suffix_size(draft, offset) == 1) {
        span_write_u8(writer, 0);
    } else {
        span_write_u16(writer, dns_pointer(DNS_HEADER_SIZE + offset));
    }
}

static size_t soa_data_size(const struct draft *draft)
{
    return suffix_size(draft, draft->text->matched) + draft->rname.size + SOA_FIXED_SIZE;
}

static size_t records_size(const struct draft *draft)
{
    size_t size = 0;
    for (size_t i = 0; i < draft->record_count; i++) {
        size += suffix_size(draft, 0) + DNS_RECORD_FIXED + draft->text->records[i].data.size;
    }
    return size;
}

static size_t draft_size(const struct draft *draft)
{
    size_t size = DNS_HEADER_SIZE + draft->query->question.bytes.size + records_size(draft);
    if (draft->tail != NULL) {
        size += draft->tail->answer.size + draft->tail->authority.size;
    }
    if (draft->has_soa) {
        size += suffix_size(draft, draft->text->matched) + DNS_RECORD_FIXED + soa_data_size(draft);
    }
    if (draft->query->edns.present) {
        size += edns_answer_size(&draft->opt);
    }
    return size;
}

/* Octets that a client takes, where a stream takes that many. */
static size_t size_limit(const struct block_query *query, size_t stream)
{
    if (query->stream) {
        return stream;
    }
    size_t udp_size = query->edns.present ? query->edns.udp_size : DNS_UDP_DEFAULT;
    if (udp_size < DNS_UDP_DEFAULT) {
        return DNS_UDP_DEFAULT;
    }
    return udp_size < BLOCK_ANSWER_MAX ? udp_size : BLOCK_ANSWER_MAX;
}

static bool too_large(const struct draft *draft)
{
    return draft_size(draft) > draft->limit;
}

/* Of an answer that is too large. */
static void fit_extra_text(struct draft *draft)
{
    draft->opt.extra_text = draft->text->short_text;
    if (too_large(draft)) {
        draft->opt.extra_text.size = 0;
    }
}

/* Leaves out what does not fit, the least needed first. */
static void draft_fit(struct draft *draft)
{
    if (!too_large(draft)) {
        return;
    }
    fit_extra_text(draft);
    if (too_large(draft) && draft->has_soa) {
        draft->rname = (struct span){NOBODY, sizeof NOBODY};
    }
    while (too_large(draft) && draft->record_count > 0) {
        draft->record_count--;
        if (draft->record_count == 0) {
            draft->truncated = !draft->query->stream;
            draft->has_soa = draft->query->stream;
            draft->rname = (struct span){NOBODY, sizeof NOBODY};
        }
    }
}

/* The same for a CNAME and its tail. */
static void draft_fit_tail(struct draft *draft)
{
    if (too_large(draft)) {
        fit_extra_text(draft);
    }
    if (draft->query->stream) {
        return;
    }
    if (too_large(draft)) {
        draft->tail->authority = (struct span){0};
        draft->tail->authority_count = 0;
    }
    if (too_large(draft) || draft->tail->truncated) {
        draft->tail = NULL;
        draft->record_count = 0;
        draft->truncated = true;
    }
}

/* Type, class, TTL and RDLENGTH. */
static void write_record_fixed(struct span_writer *writer, const struct draft *draft, uint16_t type,
                               size_t rdlength)
{
    uint16_t qclass = draft->query->question.qclass;
    uint8_t *room = span_write_room(writer, DNS_RECORD_FIXED);
    if (room != NULL) {
        span_put_u16(room, type);
        span_put_u16(room + 2, qclass == DNS_CLASS_ANY ? DNS_CLASS_IN : qclass);
        span_put_u32(room + 4, draft->text->ttl);
        span_put_u16(room + 8, (uint16_t)rdlength);
    }
}

static void write_records(struct span_writer *writer, const struct draft *draft)
{
    for (size_t i = 0; i < draft->record_count; i++) {
        const struct block_record *record = &draft->text->records[i];
        write_suffix(writer, draft, 0);
        write_record_fixed(writer, draft, record->type, record->data.size);
        span_write(writer, record->data);
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

/* Header and question. */
static void write_head(struct span_writer *writer, const struct draft *draft)
{
    const struct block_query *query = draft->query;
    const struct span question = query->question.bytes;
    const struct block_tail *tail = draft->tail;
    unsigned truncated = draft->truncated ? DNS_FLAG_TC : 0;
    size_t answers = draft->record_count + (tail != NULL ? tail->answer_count : 0);
    size_t authorities = draft->has_soa + (tail != NULL ? tail->authority_count : 0U);
    uint8_t *room = span_write_room(writer, DNS_HEADER_SIZE + question.size);
    if (room != NULL) {
        span_put_u16(room, query->header.id);
        span_put_u16(room + 2, (uint16_t)(answer_flags(&query->header, draft->rcode) | truncated));
        span_put_u16(room + 4, 1);
        span_put_u16(room + 6, (uint16_t)answers);
        span_put_u16(room + 8, (uint16_t)authorities);
        span_put_u16(room + 10, query->edns.present);
        memcpy(room + DNS_HEADER_SIZE, question.bytes, question.size);
    }
}

/* A tail has its own authority: with it there is no SOA of ours. */
static void draft_write(const struct draft *draft, struct span_writer *writer)
{
    write_head(writer, draft);
    write_records(writer, draft);
    if (draft->tail != NULL) {
        span_write(writer, draft->tail->answer);
        span_write(writer, draft->tail->authority);
    }
    if (draft->has_soa) {
        write_soa(writer, draft);
    }
    if (draft->query->edns.present) {
        edns_answer_encode(writer, &draft->opt);
    }
}

/* With the text as it should be, whether it fits or not. */
static void draft_init_text(struct draft *draft, const struct block_query *query,
                            const struct block_text *text, enum dns_rcode rcode,
                            const struct edns_cookie_env *cookie)
{
    draft_init(draft, query, rcode, cookie);
    draft->text = text;
    draft->opt.has_error = text->has_error;
    draft->opt.info_code = text->info_code;
    draft->opt.extra_text = text->extra_text;
    draft->record_count = text->kind == BLOCK_RECORDS ? text->record_count : 0;
    draft->truncated = text->kind == BLOCK_TRUNCATED;
    draft->has_soa = text->kind == BLOCK_NXDOMAIN || text->kind == BLOCK_NODATA;
    draft->rname = text->rname.size > 0 ? text->rname : (struct span){NOBODY, sizeof NOBODY};
}

size_t block_answer(const struct block_query *query, const struct block_text *text,
                    const struct edns_cookie_env *cookie, uint8_t out[static BLOCK_ANSWER_MAX])
{
    static const enum dns_rcode RCODES[] = {
        [BLOCK_REFUSED] = DNS_RCODE_REFUSED,   [BLOCK_NXDOMAIN] = DNS_RCODE_NXDOMAIN,
        [BLOCK_NODATA] = DNS_RCODE_NOERROR,    [BLOCK_RECORDS] = DNS_RCODE_NOERROR,
        [BLOCK_YXDOMAIN] = DNS_RCODE_YXDOMAIN, [BLOCK_TRUNCATED] = DNS_RCODE_NOERROR,
    };
    struct draft draft;
    struct span_writer writer = span_writer(out, BLOCK_ANSWER_MAX);
    draft_init_text(&draft, query, text, RCODES[text->kind], cookie);
    draft.limit = size_limit(query, BLOCK_ANSWER_MAX);
    draft_fit(&draft);
    draft_write(&draft, &writer);
    return writer.size;
}

size_t block_cname(const struct block_query *query, const struct block_text *text,
                   const struct edns_cookie_env *cookie, const struct block_tail *tail,
                   struct span_writer *out)
{
    struct draft draft;
    struct block_tail own = *tail;
    size_t stream = out->capacity < DNS_MESSAGE_MAX ? out->capacity : DNS_MESSAGE_MAX;
    draft_init_text(&draft, query, text, tail->rcode, cookie);
    draft.tail = &own;
    draft.limit = size_limit(query, stream);
    draft_fit_tail(&draft);
    if (too_large(&draft) || draft_size(&draft) > out->capacity) {
        return 0;
    }
    draft_write(&draft, out);
    return out->size;
}

size_t block_rcode(const struct block_query *query, enum dns_rcode rcode, int info_code,
                   const struct edns_cookie_env *cookie, uint8_t out[static BLOCK_ANSWER_MAX])
{
    struct draft draft;
    struct span_writer writer = span_writer(out, BLOCK_ANSWER_MAX);
    draft_init(&draft, query, rcode, cookie);
    draft.opt.has_error = info_code >= 0;
    draft.opt.info_code = (uint16_t)info_code;
    draft_write(&draft, &writer);
    return writer.size;
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
