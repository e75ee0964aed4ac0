/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Datagrams of strangers: what they are told to be points into them, and may be answered. The RFC's
 * own layout (RFC 8999 section 5) is the independent reader.
 */
#include <assert.h>

#include "forwarder/quic/quic_id.h"
#include "forwarder/quic/quic_packet.h"
#include "forwarder/quic/quic_routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_long(struct span datagram, const struct quic_packet *packet)
{
    struct span_reader reader = span_reader(datagram);
    assert((span_read_u8(&reader) & 0x80U) != 0);
    uint32_t version = span_read_u32(&reader);
    struct span id = span_read(&reader, span_read_u8(&reader));
    struct span source = span_read(&reader, span_read_u8(&reader));
    assert(!reader.failed && version != 0);
    assert(packet->id.size == id.size && packet->source.size == source.size);
    assert(id.size == 0 || packet->id.bytes == id.bytes);
    assert(source.size == 0 || packet->source.bytes == source.bytes);
    if (packet->kind == QUIC_PACKET_LONG) {
        assert(version == 1);
        assert(id.size >= QUIC_PACKET_ID_MIN && id.size <= QUIC_ROUTES_ID_MAX &&
               source.size <= QUIC_ROUTES_ID_MAX);
    } else {
        assert(version != 1 && datagram.size >= QUIC_PACKET_FIRST_MIN);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span datagram = {data, size};
    struct quic_packet packet;
    quic_packet_read(datagram, &packet);
    switch (packet.kind) {
    case QUIC_PACKET_NOISE:
        break;
    case QUIC_PACKET_OTHER_VERSION:
    case QUIC_PACKET_LONG:
        check_long(datagram, &packet);
        break;
    case QUIC_PACKET_SHORT:
        assert((data[0] & 0x80U) == 0 && size >= 1 + QUIC_ID_SIZE);
        assert(packet.id.bytes == data + 1 && packet.id.size == QUIC_ID_SIZE);
        assert(packet.source.size == 0);
        break;
    }
    return 0;
}
