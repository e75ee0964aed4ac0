/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Keepalive and padding, taken and put (see hop_options.h).
 */
#include "forwarder/stream/hop_options.h"

#include <libknot/rrtype/opt.h>
#include <string.h>

#include "forwarder/wire/edns.h"
#include "forwarder/wire/opt_record.h"

#define KEEPALIVE_SIZE 2
#define KEEPALIVE_UNIT_MS 100

static bool is_ours(uint16_t code)
{
    return code == KNOT_EDNS_OPTION_TCP_KEEPALIVE || code == KNOT_EDNS_OPTION_PADDING;
}

static struct span data_of(struct span message, const struct opt_record *opt)
{
    return (struct span){message.bytes + opt->record.data, opt->record.size};
}

/* May the message's OPT be changed? */
static bool is_changeable(struct span message, const struct opt_record *opt)
{
    return opt_record_may_resize(message, opt) && opt_record_is_readable(data_of(message, opt));
}

/* Writes all options but ours to out, which may be where they are; octets written. */
static size_t copy_others(struct span options, uint8_t *out, struct origin_hop *seen)
{
    struct span_reader reader = span_reader(options);
    struct opt_record_option option;
    size_t size = 0;
    while (opt_record_next(&reader, &option)) {
        if (is_ours(option.code)) {
            seen->padding = seen->padding || option.code == KNOT_EDNS_OPTION_PADDING;
            seen->keepalive = seen->keepalive || option.code == KNOT_EDNS_OPTION_TCP_KEEPALIVE;
        } else {
            memmove(out + size, option.whole.bytes, option.whole.size);
            size += option.whole.size;
        }
    }
    return size;
}

size_t hop_options_take(uint8_t *query, size_t size, struct origin_hop *hop)
{
    struct span message = {query, size};
    struct opt_record opt;
    *hop = (struct origin_hop){0};
    if (opt_record_find(message, &opt) != OPT_RECORD_ONE || !is_changeable(message, &opt)) {
        return size;
    }
    uint8_t *data = query + opt.record.data;
    hop->opt = true;
    size_t kept = copy_others(data_of(message, &opt), data, hop);
    if (kept < opt.record.size) {
        span_put_u16(data - 2, (uint16_t)kept);
        memmove(data + kept, query + opt.end, size - opt.end);
    }
    return size - (opt.record.size - kept);
}

static size_t put_keepalive(uint8_t *out, unsigned idle_ms)
{
    unsigned units = idle_ms / KEEPALIVE_UNIT_MS;
    span_put_u16(out, KNOT_EDNS_OPTION_TCP_KEEPALIVE);
    span_put_u16(out + 2, KEEPALIVE_SIZE);
    span_put_u16(out + OPT_RECORD_OPTION, units > UINT16_MAX ? UINT16_MAX : (uint16_t)units);
    return OPT_RECORD_OPTION + KEEPALIVE_SIZE;
}

/* A padding option for a message that has so many octets without it. */
static size_t put_padding(uint8_t *out, size_t message)
{
    size_t least = message + OPT_RECORD_OPTION;
    if (least > DNS_MESSAGE_MAX) {
        return 0;
    }
    size_t padded = (least + HOP_OPTIONS_BLOCK - 1) / HOP_OPTIONS_BLOCK * HOP_OPTIONS_BLOCK;
    size_t length = (padded > DNS_MESSAGE_MAX ? DNS_MESSAGE_MAX : padded) - least;
    span_put_u16(out, KNOT_EDNS_OPTION_PADDING);
    span_put_u16(out + 2, (uint16_t)length);
    memset(out + OPT_RECORD_OPTION, 0, length);
    return OPT_RECORD_OPTION + length;
}

/* Writes our options for a message that has so many octets without them; octets written. */
static size_t put_ours(uint8_t *out, size_t message, const struct origin_hop *hop, unsigned idle_ms)
{
    size_t size = 0;
    if (hop->keepalive && idle_ms > 0 &&
        message + OPT_RECORD_OPTION + KEEPALIVE_SIZE <= DNS_MESSAGE_MAX) {
        size = put_keepalive(out, idle_ms);
    }
    return hop->padding ? size + put_padding(out + size, message + size) : size;
}

/* The options into the OPT that the answer has. */
static size_t put_into(struct span answer, const struct opt_record *opt,
                       const struct origin_hop *hop, unsigned idle_ms, uint8_t *out)
{
    struct origin_hop seen = {0};
    struct span before = data_of(answer, opt);
    size_t others = answer.size - before.size;
    uint8_t *data = out + opt->record.data;
    memcpy(out, answer.bytes, opt->record.data);
    size_t size = copy_others(before, data, &seen);
    size += put_ours(data + size, others + size, hop, idle_ms);
    span_put_u16(data - 2, (uint16_t)size);
    memcpy(data + size, answer.bytes + opt->end, answer.size - opt->end);
    bool same = size == before.size && memcmp(data, before.bytes, size) == 0;
    return same ? 0 : others + size;
}

/* If upstream does not know EDNS its answer has no OPT, and is to be padded all the same. With
 * other rcodes the missing OPT tells the client that EDNS is not known (RFC 6891 section 7). */
static bool may_have_opt(struct span answer, const struct origin_hop *hop)
{
    struct dns_header header;
    if (!hop->padding || !dns_header_decode(answer, &header) || header.arcount == UINT16_MAX) {
        return false;
    }
    unsigned rcode = dns_rcode(&header);
    return (rcode == DNS_RCODE_NOERROR || rcode == DNS_RCODE_NXDOMAIN) &&
           answer.size + OPT_RECORD_FIXED + OPT_RECORD_OPTION <= DNS_MESSAGE_MAX;
}

/* The options in an OPT of our own, the last record. */
static size_t put_behind(struct span answer, const struct origin_hop *hop, unsigned idle_ms,
                         uint8_t *out)
{
    struct span_writer writer = span_writer(out, DNS_MESSAGE_MAX);
    span_write(&writer, answer);
    edns_answer_encode(&writer, &(struct edns_answer){.dnssec_ok = false});
    span_put_u16(out + DNS_ARCOUNT_AT, (uint16_t)(span_u16(out + DNS_ARCOUNT_AT) + 1));
    size_t size = put_ours(out + writer.size, writer.size, hop, idle_ms);
    span_put_u16(out + writer.size - 2, (uint16_t)size);
    return writer.size + size;
}

size_t hop_options_put(struct span answer, const struct origin_hop *hop, unsigned idle_ms,
                       uint8_t out[static DNS_MESSAGE_MAX])
{
    struct opt_record opt;
    if (!hop->opt || answer.size > DNS_MESSAGE_MAX) {
        return 0;
    }
    switch (opt_record_find(answer, &opt)) {
    case OPT_RECORD_ONE:
        return is_changeable(answer, &opt) ? put_into(answer, &opt, hop, idle_ms, out) : 0;
    case OPT_RECORD_NONE:
        return !opt.signed_behind && opt.tail == 0 && may_have_opt(answer, hop)
                   ? put_behind(answer, hop, idle_ms, out)
                   : 0;
    case OPT_RECORD_UNREADABLE:
        break;
    }
    return 0;
}
