/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Decoding dnstap (dnstap.proto of dnstap.info, in the encoding of Protocol Buffers): numbered
 * fields, each a varint, 32 or 64 bits, or octets with their length. Of fields given twice the last
 * one counts, as that encoding has it.
 */
#include "forwarder/cli/query_dnstap.h"

#include <string.h>

#include "forwarder/wire/dns.h"

/* Fields of Dnstap and of its Message. */
enum {
    DNSTAP_MESSAGE = 14,
    DNSTAP_TYPE = 15,
    MESSAGE_TYPE = 1,
    MESSAGE_QUERY_ADDRESS = 4,
    MESSAGE_QUERY = 10,
    MESSAGE_RESPONSE = 14,
};

enum {
    DNSTAP_TYPE_MESSAGE = 1,
    MESSAGE_TYPE_CLIENT_QUERY = 5,
    MESSAGE_TYPE_CLIENT_RESPONSE = 6,
};

/* How a field is encoded. */
enum wire_type {
    WIRE_VARINT = 0,
    WIRE_64_BITS = 1,
    WIRE_OCTETS = 2,
    WIRE_32_BITS = 5,
};

struct field {
    uint64_t number;
    enum wire_type wire;
    uint64_t value;     /* WIRE_VARINT */
    struct span octets; /* WIRE_OCTETS */
};

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

/* The next field; false at the end, and where the message is broken. */
static bool next_field(struct span_reader *reader, struct field *out)
{
    if (reader->failed || reader->at == reader->span.size) {
        return false;
    }
    uint64_t key = read_varint(reader);
    *out = (struct field){.number = key >> 3, .wire = (enum wire_type)(key & 7)};
    switch (out->wire) {
    case WIRE_VARINT:
        out->value = read_varint(reader);
        break;
    case WIRE_64_BITS:
        span_read(reader, 8);
        break;
    case WIRE_OCTETS: {
        uint64_t size = read_varint(reader);
        out->octets = span_read(reader, size <= reader->span.size ? (size_t)size : SIZE_MAX);
        break;
    }
    case WIRE_32_BITS:
        span_read(reader, 4);
        break;
    default:
        reader->failed = true;
        break;
    }
    return !reader->failed;
}

/* What of a Message is looked at. */
struct message {
    uint64_t type;
    struct span address;
    struct span query;
    struct span response;
};

static bool read_message(struct span bytes, struct message *out)
{
    struct span_reader reader = span_reader(bytes);
    struct field field;
    *out = (struct message){0};
    while (next_field(&reader, &field)) {
        if (field.number == MESSAGE_TYPE && field.wire == WIRE_VARINT) {
            out->type = field.value;
        } else if (field.number == MESSAGE_QUERY_ADDRESS && field.wire == WIRE_OCTETS) {
            out->address = field.octets;
        } else if (field.number == MESSAGE_QUERY && field.wire == WIRE_OCTETS) {
            out->query = field.octets;
        } else if (field.number == MESSAGE_RESPONSE && field.wire == WIRE_OCTETS) {
            out->response = field.octets;
        }
    }
    return !reader.failed;
}

/* Finds the Message in a Dnstap; without one *out is empty. */
static bool read_dnstap(struct span bytes, struct span *out)
{
    struct span_reader reader = span_reader(bytes);
    struct field field;
    uint64_t type = 0;
    *out = (struct span){0};
    while (next_field(&reader, &field)) {
        if (field.number == DNSTAP_TYPE && field.wire == WIRE_VARINT) {
            type = field.value;
        } else if (field.number == DNSTAP_MESSAGE && field.wire == WIRE_OCTETS) {
            *out = field.octets;
        }
    }
    if (type != DNSTAP_TYPE_MESSAGE) {
        *out = (struct span){0};
    }
    return !reader.failed;
}

static void take_client(struct span octets, struct query_record *out)
{
    out->has_client = octets.size == 4 || octets.size == 16;
    if (octets.size == 4) {
        out->client = (struct address){{[10] = 0xff, [11] = 0xff}};
        memcpy(out->client.octet + 12, octets.bytes, 4);
    } else if (octets.size == 16) {
        memcpy(out->client.octet, octets.bytes, 16);
    }
}

/* The question, be it of the query or of the answer to it. */
static bool take_question(struct span message, struct query_record *out)
{
    struct dns_header header;
    struct dns_question question;
    if (!dns_header_decode(message, &header) || dns_opcode(&header) != DNS_OPCODE_QUERY ||
        dns_question_decode(message, &question) != DNS_QUESTION_ONE ||
        !dname_decode(question.qname.bytes, question.qname.size, &out->name)) {
        return false;
    }
    out->type = question.qtype;
    return true;
}

enum query_dnstap_kind query_dnstap_decode(struct span frame, struct query_record *out)
{
    struct span bytes;
    struct message message;
    if (!read_dnstap(frame, &bytes) || !read_message(bytes, &message)) {
        return QUERY_DNSTAP_BAD;
    }
    if (message.type != MESSAGE_TYPE_CLIENT_QUERY && message.type != MESSAGE_TYPE_CLIENT_RESPONSE) {
        return QUERY_DNSTAP_OTHER;
    }
    *out = (struct query_record){.count = 1};
    take_client(message.address, out);
    if (!take_question(message.query.size > 0 ? message.query : message.response, out)) {
        return QUERY_DNSTAP_OTHER;
    }
    return message.type == MESSAGE_TYPE_CLIENT_QUERY ? QUERY_DNSTAP_QUERY : QUERY_DNSTAP_RESPONSE;
}
