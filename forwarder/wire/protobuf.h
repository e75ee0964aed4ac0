/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The encoding of Protocol Buffers: numbered fields, each a varint, 32 or 64 bits, or octets with
 * their length, in which a message may lie in turn. What the numbers mean is the caller's. Bytes of
 * a message that is read are anybody's: no read goes past the end.
 */
#pragma once

#include "forwarder/wire/span.h"

/* How a field is encoded. */
enum protobuf_wire {
    PROTOBUF_VARINT = 0,
    PROTOBUF_64_BITS = 1,
    PROTOBUF_OCTETS = 2,
    PROTOBUF_32_BITS = 5,
};

struct protobuf_field {
    uint64_t number;
    enum protobuf_wire wire;
    uint64_t value;     /* PROTOBUF_VARINT */
    struct span octets; /* PROTOBUF_OCTETS */
};

/* The next field; false at the end, and (reader->failed) where the message is broken. */
bool protobuf_read(struct span_reader *reader, struct protobuf_field *out);

/* Append one field. */
void protobuf_write_varint(struct span_writer *writer, unsigned number, uint64_t value);
void protobuf_write_32_bits(struct span_writer *writer, unsigned number, uint32_t value);
void protobuf_write_octets(struct span_writer *writer, unsigned number, struct span octets);

/* A longer message in a field fails the writer. */
#define PROTOBUF_NESTED_MAX ((1U << 21) - 1)

/* What is written from the first to the second is a message of its own in a field of that number.
 * begin returns what end wants to be told. */
size_t protobuf_write_begin(struct span_writer *writer, unsigned number);
void protobuf_write_end(struct span_writer *writer, size_t begun);
