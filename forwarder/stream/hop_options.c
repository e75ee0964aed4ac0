/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Keepalive and padding, taken and put (see hop_options.h).
 */
#include "forwarder/stream/hop_options.h"

#include <libknot/descriptor.h>
#include <libknot/rrtype/opt.h>
#include <string.h>

#include "forwarder/wire/records.h"

#define OPTION_HEADER_SIZE 4
#define KEEPALIVE_SIZE 2
#define KEEPALIVE_UNIT_MS 100
#define POINTER_MARK 0xc0U

/* The one OPT of a message. */
struct opt {
    size_t owner;
    size_t data;
    size_t size;
};

static bool is_ours(uint16_t code)
{
    return code == KNOT_EDNS_OPTION_TCP_KEEPALIVE || code == KNOT_EDNS_OPTION_PADDING;
}

/* Does the name at this place lead to nothing at or behind limit, but by octets of its own? */
static bool name_leads_before(struct span message, size_t at, size_t limit)
{
    while (message.bytes[at] != 0) { /* the cursor has passed the name: it has an end */
        if ((message.bytes[at] & POINTER_MARK) == POINTER_MARK) {
            size_t target =
                (size_t)(message.bytes[at] & ~POINTER_MARK) << 8 | message.bytes[at + 1];
            return target < limit;
        }
        at += 1U + message.bytes[at];
    }
    return true;
}

/* May this record, behind an OPT, move by some octets? Its RDATA must hold no name that could be
 * compressed. */
static bool may_move(struct span message, const struct records_record *record, size_t opt)
{
    bool plain = record->type == KNOT_RRTYPE_A || record->type == KNOT_RRTYPE_AAAA ||
                 record->type == KNOT_RRTYPE_RRSIG;
    return plain && name_leads_before(message, record->owner, opt);
}

static bool is_opt(struct span message, const struct records_record *record)
{
    return record->type == KNOT_RRTYPE_OPT && record->section == RECORDS_ADDITIONAL &&
           message.bytes[record->owner] == 0;
}

/* The OPT, if the message has just one and may be changed. */
static bool find_opt(struct span message, struct opt *opt)
{
    struct records records = records_begin(message);
    struct records_record record;
    bool found = false;
    while (records_next(&records, &record)) {
        if (found && !may_move(message, &record, opt->owner)) {
            return false; /* another OPT and a signature among them */
        }
        if (is_opt(message, &record)) {
            found = true;
            *opt = (struct opt){record.owner, record.data, record.size};
        } else if (record.type == KNOT_RRTYPE_OPT) {
            return false;
        }
    }
    return found && !records.broken;
}

/* The next option of an OPT's RDATA, its four octets of header included. Empty at the end; failed
 * where there is none that could be read. */
static struct span next_option(struct span_reader *reader, uint16_t *code)
{
    struct span_reader start = *reader;
    if (reader->at == reader->span.size) {
        return (struct span){0};
    }
    *code = span_read_u16(reader);
    uint16_t length = span_read_u16(reader);
    span_read(reader, length);
    return reader->failed ? (struct span){0}
                          : span_read(&start, (size_t)OPTION_HEADER_SIZE + length);
}

static bool has_readable_options(struct span options)
{
    struct span_reader reader = span_reader(options);
    uint16_t code;
    while (next_option(&reader, &code).size > 0) {
    }
    return !reader.failed;
}

/* Writes all options but ours to out, which may be where they are; octets written. */
static size_t copy_others(struct span options, uint8_t *out, struct origin_hop *seen)
{
    struct span_reader reader = span_reader(options);
    struct span option;
    uint16_t code;
    size_t size = 0;
    while ((option = next_option(&reader, &code)).size > 0) {
        if (is_ours(code)) {
            seen->padding = seen->padding || code == KNOT_EDNS_OPTION_PADDING;
            seen->keepalive = seen->keepalive || code == KNOT_EDNS_OPTION_TCP_KEEPALIVE;
        } else {
            memmove(out + size, option.bytes, option.size);
            size += option.size;
        }
    }
    return size;
}

static void write_u16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

size_t hop_options_take(uint8_t *query, size_t size, struct origin_hop *hop)
{
    struct span message = {query, size};
    struct opt opt;
    *hop = (struct origin_hop){0};
    if (!find_opt(message, &opt) ||
        !has_readable_options((struct span){query + opt.data, opt.size})) {
        return size;
    }
    uint8_t *data = query + opt.data;
    hop->opt = true;
    size_t kept = copy_others((struct span){data, opt.size}, data, hop);
    if (kept < opt.size) {
        write_u16(data - 2, kept);
        memmove(data + kept, data + opt.size, size - opt.data - opt.size);
    }
    return size - (opt.size - kept);
}

static size_t put_keepalive(uint8_t *out, unsigned idle_ms)
{
    unsigned units = idle_ms / KEEPALIVE_UNIT_MS;
    write_u16(out, KNOT_EDNS_OPTION_TCP_KEEPALIVE);
    write_u16(out + 2, KEEPALIVE_SIZE);
    write_u16(out + OPTION_HEADER_SIZE, units > UINT16_MAX ? UINT16_MAX : units);
    return OPTION_HEADER_SIZE + KEEPALIVE_SIZE;
}

/* A padding option for a message that has so many octets without it. */
static size_t put_padding(uint8_t *out, size_t message)
{
    size_t least = message + OPTION_HEADER_SIZE;
    if (least > DNS_MESSAGE_MAX) {
        return 0;
    }
    size_t padded = (least + HOP_OPTIONS_BLOCK - 1) / HOP_OPTIONS_BLOCK * HOP_OPTIONS_BLOCK;
    size_t length = (padded > DNS_MESSAGE_MAX ? DNS_MESSAGE_MAX : padded) - least;
    write_u16(out, KNOT_EDNS_OPTION_PADDING);
    write_u16(out + 2, length);
    memset(out + OPTION_HEADER_SIZE, 0, length);
    return OPTION_HEADER_SIZE + length;
}

size_t hop_options_put(struct span answer, const struct origin_hop *hop, unsigned idle_ms,
                       uint8_t out[static DNS_MESSAGE_MAX])
{
    struct origin_hop seen = {0};
    struct opt opt;
    if (!hop->opt || answer.size > DNS_MESSAGE_MAX || !find_opt(answer, &opt) ||
        !has_readable_options((struct span){answer.bytes + opt.data, opt.size})) {
        return 0;
    }
    memcpy(out, answer.bytes, opt.data);
    uint8_t *data = out + opt.data;
    size_t size = copy_others((struct span){answer.bytes + opt.data, opt.size}, data, &seen);
    size_t others = answer.size - opt.size;
    if (hop->keepalive && idle_ms > 0 &&
        others + size + OPTION_HEADER_SIZE + KEEPALIVE_SIZE <= DNS_MESSAGE_MAX) {
        size += put_keepalive(data + size, idle_ms);
    }
    if (hop->padding) {
        size += put_padding(data + size, others + size);
    }
    write_u16(data - 2, size);
    memcpy(data + size, answer.bytes + opt.data + opt.size, others - opt.data);
    bool same = size == opt.size && memcmp(data, answer.bytes + opt.data, size) == 0;
    return same ? 0 : others + size;
}
