/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From the link layer up to the question (see query_packet.h). Each layer takes its header off the
 * span and says what lies behind; RFC 791, 8200, 768, 9293, and 7766 for the length before a
 * message.
 */
#include "forwarder/cli/query_packet.h"

#include <netinet/in.h>
#include <string.h>

#include "forwarder/wire/dns.h"

#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_PROVIDER_VLAN 0x88a8
#define VLAN_TAGS_MAX 2
#define EXTENSIONS_MAX 8 /* headers of IPv6 before the transport */
#define PORT 53

/* What is behind the headers read so far. */
struct layer {
    struct span rest;
    uint8_t protocol;
    struct query_record *record;
};

static struct span rest_of(const struct span_reader *reader)
{
    return (struct span){reader->span.bytes + reader->at, reader->span.size - reader->at};
}

/* ---- Link ---- */

static bool skip_ethernet(struct span_reader *reader)
{
    span_read(reader, 12);
    for (unsigned tags = 0; tags <= VLAN_TAGS_MAX; tags++) {
        uint16_t type = span_read_u16(reader);
        if (type != ETHERTYPE_VLAN && type != ETHERTYPE_PROVIDER_VLAN) {
            return !reader->failed;
        }
        span_read(reader, 2);
    }
    return false;
}

/* Takes the link layer off; that IP follows, its version will say. */
static bool read_link(enum query_packet_link link, struct span packet, struct layer *out)
{
    static const size_t sizes[] = {
        [QUERY_PACKET_IP] = 0,
        [QUERY_PACKET_COOKED] = 16,
        [QUERY_PACKET_COOKED_2] = 20,
        [QUERY_PACKET_LOOPBACK] = 4,
    };
    struct span_reader reader = span_reader(packet);
    if (link == QUERY_PACKET_ETHERNET) {
        if (!skip_ethernet(&reader)) {
            return false;
        }
    } else {
        span_read(&reader, sizes[link]);
    }
    out->rest = rest_of(&reader);
    return !reader.failed;
}

/* ---- IP ---- */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool read_ipv4(struct layer *layer)
{
    struct span_reader reader = span_reader(layer->rest);
    size_t header = (size_t)(span_read_u8(&reader) & 15) * 4;
    span_read(&reader, 1);
    size_t total = span_read_u16(&reader);
    span_read(&reader, 2);
    uint16_t fragment = span_read_u16(&reader);
    span_read(&reader, 1);
    layer->protocol = span_read_u8(&reader);
    span_read(&reader, 2);
    struct span source = span_read(&reader, 4);
    total = smaller(total, layer->rest.size);
    if (reader.failed || header < 20 || total < header || (fragment & 0x3fff) != 0) {
        return false;
    }
    struct sockaddr_in ipv4 = {.sin_family = AF_INET};
    memcpy(&ipv4.sin_addr, source.bytes, sizeof ipv4.sin_addr);
    layer->rest = (struct span){layer->rest.bytes + header, total - header};
    return address_of_sockaddr((const struct sockaddr *)&ipv4, &layer->record->client);
}

static bool is_extension(uint8_t protocol)
{
    return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
           protocol == IPPROTO_DSTOPTS;
}

static bool read_ipv6(struct layer *layer)
{
    struct span_reader reader = span_reader(layer->rest);
    span_read(&reader, 4);
    size_t size = span_read_u16(&reader);
    layer->protocol = span_read_u8(&reader);
    span_read(&reader, 1);
    struct span source = span_read(&reader, 16);
    span_read(&reader, 16);
    if (reader.failed) {
        return false;
    }
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};
    memcpy(&ipv6.sin6_addr, source.bytes, sizeof ipv6.sin6_addr);
    reader.span.size = reader.at + smaller(size, layer->rest.size - reader.at);
    for (unsigned i = 0; i < EXTENSIONS_MAX && is_extension(layer->protocol); i++) {
        layer->protocol = span_read_u8(&reader);
        span_read(&reader, (size_t)span_read_u8(&reader) * 8 + 6);
    }
    layer->rest = rest_of(&reader);
    return !reader.failed &&
           address_of_sockaddr((const struct sockaddr *)&ipv6, &layer->record->client);
}

static bool read_ip(struct layer *layer)
{
    unsigned version = layer->rest.size == 0 ? 0 : layer->rest.bytes[0] >> 4;
    layer->record->has_client = true;
    return version == 4 ? read_ipv4(layer) : version == 6 && read_ipv6(layer);
}

/* ---- Messages ---- */

static bool tell_message(struct span message, struct query_record *record, query_record_fn *tell,
                         void *ctx)
{
    struct dns_header header;
    struct dns_question question;
    if (!dns_header_decode(message, &header) || (header.flags & DNS_FLAG_QR) != 0 ||
        dns_opcode(&header) != DNS_OPCODE_QUERY ||
        dns_question_decode(message, &question) != DNS_QUESTION_ONE ||
        !dname_decode(question.qname.bytes, question.qname.size, &record->name)) {
        return true;
    }
    record->type = question.qtype;
    return tell(ctx, record);
}

static bool tell_datagram(struct layer *layer, query_record_fn *tell, void *ctx)
{
    struct span_reader reader = span_reader(layer->rest);
    span_read(&reader, 2);
    uint16_t port = span_read_u16(&reader);
    size_t size = span_read_u16(&reader);
    span_read(&reader, 2);
    if (reader.failed || port != PORT || size < 8) {
        return true;
    }
    struct span message = rest_of(&reader);
    message.size = smaller(message.size, size - 8);
    return tell_message(message, layer->record, tell, ctx);
}

static bool tell_segment(struct layer *layer, query_record_fn *tell, void *ctx)
{
    struct span_reader reader = span_reader(layer->rest);
    span_read(&reader, 2);
    uint16_t port = span_read_u16(&reader);
    span_read(&reader, 8);
    size_t header = (size_t)(span_read_u8(&reader) >> 4) * 4;
    if (reader.failed || port != PORT || header < 20 || header > layer->rest.size) {
        return true;
    }
    reader.at = header;
    for (;;) {
        struct span message = span_read(&reader, span_read_u16(&reader));
        if (reader.failed || message.size == 0) {
            return true;
        }
        if (!tell_message(message, layer->record, tell, ctx)) {
            return false;
        }
    }
}

bool query_packet_each(enum query_packet_link link, struct span packet, query_record_fn *tell,
                       void *ctx)
{
    struct query_record record = {.count = 1};
    struct layer layer = {.record = &record};
    if (!read_link(link, packet, &layer) || !read_ip(&layer)) {
        return true;
    }
    switch (layer.protocol) {
    case IPPROTO_UDP:
        return tell_datagram(&layer, tell, ctx);
    case IPPROTO_TCP:
        return tell_segment(&layer, tell, ctx);
    default:
        return true;
    }
}
