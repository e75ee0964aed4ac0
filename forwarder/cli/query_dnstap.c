/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Decoding dnstap. Of fields given twice the last one counts, as its encoding has it.
 */
#include "forwarder/cli/query_dnstap.h"

#include <string.h>

#include "forwarder/wire/dns.h"
#include "forwarder/wire/dnstap.h"

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
    struct protobuf_field field;
    *out = (struct message){0};
    while (protobuf_read(&reader, &field)) {
        if (field.number == DNSTAP_MESSAGE_TYPE && field.wire == PROTOBUF_VARINT) {
            out->type = field.value;
        } else if (field.number == DNSTAP_QUERY_ADDRESS && field.wire == PROTOBUF_OCTETS) {
            out->address = field.octets;
        } else if (field.number == DNSTAP_QUERY_MESSAGE && field.wire == PROTOBUF_OCTETS) {
            out->query = field.octets;
        } else if (field.number == DNSTAP_RESPONSE_MESSAGE && field.wire == PROTOBUF_OCTETS) {
            out->response = field.octets;
        }
    }
    return !reader.failed;
}

/* Finds the Message in a Dnstap; without one *out is empty. */
static bool read_dnstap(struct span bytes, struct span *out)
{
    struct span_reader reader = span_reader(bytes);
    struct protobuf_field field;
    uint64_t type = 0;
    *out = (struct span){0};
    while (protobuf_read(&reader, &field)) {
        if (field.number == DNSTAP_TYPE && field.wire == PROTOBUF_VARINT) {
            type = field.value;
        } else if (field.number == DNSTAP_MESSAGE && field.wire == PROTOBUF_OCTETS) {
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
    if (message.type != DNSTAP_CLIENT_QUERY && message.type != DNSTAP_CLIENT_RESPONSE) {
        return QUERY_DNSTAP_OTHER;
    }
    *out = (struct query_record){.count = 1};
    take_client(message.address, out);
    if (!take_question(message.query.size > 0 ? message.query : message.response, out)) {
        return QUERY_DNSTAP_OTHER;
    }
    return message.type == DNSTAP_CLIENT_QUERY ? QUERY_DNSTAP_QUERY : QUERY_DNSTAP_RESPONSE;
}
