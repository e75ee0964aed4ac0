/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The least TTL of an answer (see freshness.h).
 */
#include "forwarder/wire/freshness.h"

#include "forwarder/wire/dns.h"
#include "forwarder/wire/records.h"

#define SOA_MINIMUM_SIZE 4 /* the last field of its RDATA */

static bool is_kept(const struct dns_header *header)
{
    unsigned rcode = dns_rcode(header);
    return (rcode == DNS_RCODE_NOERROR || rcode == DNS_RCODE_NXDOMAIN) &&
           (header->flags & DNS_FLAG_TC) == 0;
}

static uint32_t ttl_of(uint32_t field)
{
    return field > INT32_MAX ? 0 : field;
}

static uint32_t soa_minimum(struct span message, const struct records_record *record)
{
    struct span_reader reader = span_reader(message);
    if (record->size < SOA_MINIMUM_SIZE) {
        return 0;
    }
    reader.at = record->data + record->size - SOA_MINIMUM_SIZE;
    return ttl_of(span_read_u32(&reader));
}

/* What a record says of the answer's life; the TTL of an OPT or a TSIG is none. */
static uint32_t life(struct span message, const struct records_record *record, bool negative)
{
    if (record->type == DNS_TYPE_OPT || record->type == DNS_TYPE_TSIG) {
        return UINT32_MAX;
    }
    uint32_t ttl = ttl_of(record->ttl);
    if (negative && record->section == RECORDS_AUTHORITY && record->type == DNS_TYPE_SOA) {
        uint32_t minimum = soa_minimum(message, record);
        return minimum < ttl ? minimum : ttl;
    }
    return ttl;
}

bool freshness_of(struct span answer, uint32_t *seconds)
{
    struct dns_header header;
    if (!dns_header_decode(answer, &header) || !is_kept(&header)) {
        return false;
    }
    struct records records = records_begin(answer);
    struct records_record record;
    uint32_t least = UINT32_MAX;
    while (records_next(&records, &record)) {
        uint32_t one = life(answer, &record, header.ancount == 0);
        least = one < least ? one : least;
    }
    *seconds = least;
    return !records.broken && least != UINT32_MAX;
}
