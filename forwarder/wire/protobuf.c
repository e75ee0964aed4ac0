/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Fields of Protocol Buffers (see protobuf.h).
 */
#include "forwarder/wire/protobuf.h"

/* Octets kept free for the length of a nested message, which is known at its end: enough for
 * PROTOBUF_NESTED_MAX. */
#define LENGTH_ROOM 3U

static uint64_t read_varint(struct span_reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t octet = span_read_u8(reader);
        value |= (uint64_t)(octet & 0x7f) << shift;
        if ((octet & 0x80) == 0) {
            return value;
        }
    }
    reader->failed = true;
    return 0;
}

bool protobuf_read(struct span_reader *reader, struct protobuf_field *out)
{
    if (reader->failed || reader->at == reader->span.size) {
        return false;
    }
    uint64_t key = read_varint(reader);
    *out = (struct protobuf_field){.number = key >> 3, .wire = (enum protobuf_wire)(key & 7)};
    switch (out->wire) {
    case PROTOBUF_VARINT:
        out->value = read_varint(reader);
        break;
    case PROTOBUF_64_BITS:
        span_read(reader, 8);
        break;
    case PROTOBUF_OCTETS: {
        uint64_t size = read_varint(reader);
        out->octets = span_read(reader, size <= reader->span.size ? (size_t)size : SIZE_MAX);
        break;
    }
    case PROTOBUF_32_BITS:
        span_read(reader, 4);
        break;
    default:
        reader->failed = true;
        break;
    }
    return !reader->failed;
}

static void write_varint(struct span_writer *writer, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        span_write_u8(writer, (uint8_t)(value | 0x80));
    }
    span_write_u8(writer, (uint8_t)value);
}

static void write_key(struct span_writer *writer, unsigned number, enum protobuf_wire wire)
{
    write_varint(writer, (uint64_t)number << 3 | wire);
}

void protobuf_write_varint(struct span_writer *writer, unsigned number, uint64_t value)
{
    write_key(writer, number, PROTOBUF_VARINT);
    write_varint(writer, value);
}

void protobuf_write_32_bits(struct span_writer *writer, unsigned number, uint32_t value)
{
    write_key(writer, number, PROTOBUF_32_BITS);
    for (unsigned shift = 0; shift < 32; shift += 8) { /* the least significant octet first */
        span_write_u8(writer, (uint8_t)(value >> shift));
    }
}

void protobuf_write_octets(struct span_writer *writer, unsigned number, struct span octets)
{
    write_key(writer, number, PROTOBUF_OCTETS);
    write_varint(writer, octets.size);
    span_write(writer, octets);
}

size_t protobuf_write_begin(struct span_writer *writer, unsigned number)
{
    write_key(writer, number, PROTOBUF_OCTETS);
    (void)span_write_room(writer, LENGTH_ROOM);
    return writer->size;
}

void protobuf_write_end(struct span_writer *writer, size_t begun)
{
    size_t size = writer->size - begun;
    writer->failed |= size > PROTOBUF_NESTED_MAX;
    if (writer->failed) {
        return;
    }
    uint8_t *body = writer->bytes + begun;
    writer->size = begun - LENGTH_ROOM;
    write_varint(writer, size);
    memmove(writer->bytes + writer->size, body, size);
    writer->size += size;
}
