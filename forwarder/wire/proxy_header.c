/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * PROXY headers, version 2 (see proxy_header.h). Constants are those of HAProxy's
 * proxy-protocol.txt, section 2.2. Invariant: nothing behind the declared length is looked at.
 */
#include "forwarder/wire/proxy_header.h"

#include <assert.h>
#include <string.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define SIGNATURE_SIZE (sizeof SIGNATURE - 1)

#define VERSION 0x20U
#define COMMAND_LOCAL 0x0U
#define COMMAND_PROXY 0x1U

enum family {
    FAMILY_UNSPEC,
    FAMILY_INET,
    FAMILY_INET6,
    FAMILY_UNIX,
    FAMILIES
};

#define TRANSPORT_UNSPEC 0x0U
#define TRANSPORT_MAX PROXY_HEADER_DATAGRAM

#define PP2_TYPE_CRC32C 0x03
#define CRC32C_SIZE 4

/* Castagnoli's, bits reversed (RFC 3720 section 12.1). */
#define CRC32C_POLYNOMIAL 0x82f63b78U

/* Octets of one address of each family, and of its port. */
static const struct {
    uint8_t address;
    uint8_t port;
} SIZES[FAMILIES] = {
    [FAMILY_UNSPEC] = {0, 0},
    [FAMILY_INET] = {4, 2},
    [FAMILY_INET6] = {16, 2},
    [FAMILY_UNIX] = {108, 0},
};

static const uint8_t MAPPED[12] = {[10] = 0xff, [11] = 0xff};

static_assert(PROXY_HEADER_FIXED == SIGNATURE_SIZE + 4, "signature, command, family, length");

/* The fixed part, as it comes. */
struct fixed {
    uint8_t command;
    uint8_t family;
    uint8_t transport;
    size_t length; /* of all that follows */
};

/* What the fixed part says, as far as it is there. */
static enum proxy_header_outcome decode_fixed(struct span bytes, struct fixed *out)
{
    size_t there = bytes.size < SIGNATURE_SIZE ? bytes.size : SIGNATURE_SIZE;
    if (there > 0 && memcmp(bytes.bytes, SIGNATURE, there) != 0) {
        return PROXY_HEADER_BAD;
    }
    struct span_reader reader = span_reader(bytes);
    span_read(&reader, SIGNATURE_SIZE);
    uint8_t version_command = span_read_u8(&reader);
    uint8_t family_transport = span_read_u8(&reader);
    out->length = span_read_u16(&reader);
    if (reader.failed) {
        return PROXY_HEADER_SHORT;
    }
    out->command = version_command & 0x0f;
    out->family = family_transport >> 4;
    out->transport = family_transport & 0x0f;
    bool known = out->command == COMMAND_LOCAL || /* which ignores the rest */
                 (out->family < FAMILIES && out->transport <= TRANSPORT_MAX);
    if ((version_command & 0xf0U) != VERSION || out->command > COMMAND_PROXY || !known ||
        out->length > PROXY_HEADER_MAX - PROXY_HEADER_FIXED) {
        return PROXY_HEADER_BAD;
    }
    return PROXY_HEADER_WHOLE;
}

size_t proxy_header_need(struct span bytes)
{
    struct fixed fixed;
    switch (decode_fixed(bytes, &fixed)) {
    case PROXY_HEADER_WHOLE:
        return PROXY_HEADER_FIXED + fixed.length;
    case PROXY_HEADER_SHORT:
        return PROXY_HEADER_FIXED;
    case PROXY_HEADER_BAD:
        break;
    }
    return 0;
}

static uint32_t crc32c_octet(uint32_t crc, uint8_t octet)
{
    crc ^= octet;
    for (unsigned bit = 0; bit < 8; bit++) {
        crc = (crc >> 1) ^ ((crc & 1U) != 0 ? CRC32C_POLYNOMIAL : 0);
    }
    return crc;
}

/* The checksum of a whole header, in which it counts as zero itself. */
static uint32_t checksum(struct span header, struct span stored)
{
    const uint8_t *end = header.bytes + header.size;
    uint32_t crc = ~0U;
    for (const uint8_t *at = header.bytes; at < end; at++) {
        bool own = at >= stored.bytes && at < stored.bytes + stored.size;
        crc = crc32c_octet(crc, own ? 0 : *at);
    }
    return ~crc;
}

/* The TLVs from where the reader stands to its end: they fit, and a checksum among them is right.
 */
static bool check_tlvs(struct span_reader *reader)
{
    while (reader->at < reader->span.size && !reader->failed) {
        uint8_t type = span_read_u8(reader);
        struct span value = span_read(reader, span_read_u16(reader));
        if (reader->failed || type != PP2_TYPE_CRC32C) {
            continue;
        }
        struct span_reader stored = span_reader(value);
        if (value.size != CRC32C_SIZE || span_read_u32(&stored) != checksum(reader->span, value)) {
            return false;
        }
    }
    return !reader->failed;
}

/* An address of the family, 4 or 16 octets. */
static void read_address(struct span_reader *reader, enum family family,
                         struct proxy_header_end *end)
{
    struct span address = span_read(reader, SIZES[family].address);
    memcpy(end->octet, MAPPED, sizeof MAPPED);
    if (address.size > 0) {
        memcpy(end->octet + sizeof end->octet - address.size, address.bytes, address.size);
    }
}

/* The addresses of a family; those of AF_UNIX say nothing here. */
static void read_ends(struct span_reader *reader, enum family family, struct proxy_header *out)
{
    if (family == FAMILY_INET || family == FAMILY_INET6) {
        read_address(reader, family, &out->source);
        read_address(reader, family, &out->destination);
        out->source.port = span_read_u16(reader);
        out->destination.port = span_read_u16(reader);
        return;
    }
    span_read(reader, 2U * SIZES[family].address);
}

static enum proxy_header_kind kind_of(const struct fixed *fixed)
{
    if (fixed->command == COMMAND_LOCAL) {
        return PROXY_HEADER_LOCAL;
    }
    bool told = (fixed->family == FAMILY_INET || fixed->family == FAMILY_INET6) &&
                fixed->transport != TRANSPORT_UNSPEC;
    return told ? PROXY_HEADER_CLIENT : PROXY_HEADER_UNKNOWN;
}

enum proxy_header_outcome proxy_header_decode(struct span bytes, struct proxy_header *out)
{
    struct fixed fixed;
    enum proxy_header_outcome outcome = decode_fixed(bytes, &fixed);
    if (outcome != PROXY_HEADER_WHOLE) {
        return outcome;
    }
    *out =
        (struct proxy_header){.kind = kind_of(&fixed), .size = PROXY_HEADER_FIXED + fixed.length};
    if (bytes.size < out->size) {
        return PROXY_HEADER_SHORT;
    }
    if (fixed.command == COMMAND_LOCAL || fixed.family == FAMILY_UNSPEC ||
        fixed.transport == TRANSPORT_UNSPEC) {
        return PROXY_HEADER_WHOLE; /* what follows is to be ignored, whatever it is */
    }
    struct span_reader reader = span_reader((struct span){bytes.bytes, out->size});
    span_read(&reader, PROXY_HEADER_FIXED);
    read_ends(&reader, (enum family)fixed.family, out);
    return check_tlvs(&reader) ? PROXY_HEADER_WHOLE : PROXY_HEADER_BAD;
}

static void write_fixed(struct span_writer *writer, unsigned command, unsigned family,
                        size_t length)
{
    uint8_t fixed[PROXY_HEADER_FIXED];
    memcpy(fixed, SIGNATURE, SIGNATURE_SIZE);
    fixed[SIGNATURE_SIZE] = (uint8_t)(VERSION | command);
    fixed[SIGNATURE_SIZE + 1] = (uint8_t)family;
    span_put_u16(fixed + SIGNATURE_SIZE + 2, (uint16_t)length);
    span_write(writer, (struct span){fixed, sizeof fixed});
}

static bool is_ipv4(const struct proxy_header_end *end)
{
    return memcmp(end->octet, MAPPED, sizeof MAPPED) == 0;
}

static void write_address(struct span_writer *writer, const struct proxy_header_end *end,
                          size_t size)
{
    span_write(writer, (struct span){end->octet + sizeof end->octet - size, size});
}

size_t proxy_header_encode(enum proxy_header_transport transport,
                           const struct proxy_header_end *source,
                           const struct proxy_header_end *destination,
                           uint8_t out[static PROXY_HEADER_ENCODED_MAX])
{
    enum family family = is_ipv4(source) && is_ipv4(destination) ? FAMILY_INET : FAMILY_INET6;
    size_t address = SIZES[family].address;
    struct span_writer writer = span_writer(out, PROXY_HEADER_ENCODED_MAX);
    write_fixed(&writer, COMMAND_PROXY, (unsigned)family << 4 | (unsigned)transport,
                2 * (address + SIZES[family].port));
    write_address(&writer, source, address);
    write_address(&writer, destination, address);
    span_write_u16(&writer, source->port);
    span_write_u16(&writer, destination->port);
    return writer.size;
}

size_t proxy_header_encode_local(uint8_t out[static PROXY_HEADER_ENCODED_MAX])
{
    struct span_writer writer = span_writer(out, PROXY_HEADER_ENCODED_MAX);
    write_fixed(&writer, COMMAND_LOCAL, FAMILY_UNSPEC, 0);
    return writer.size;
}
