/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Telling packets apart (see quic_packet.h).
 */
#include "forwarder/quic/quic_packet.h"

#include <ngtcp2/ngtcp2.h>

#include "forwarder/quic/quic_id.h"
#include "forwarder/quic/quic_routes.h"

static enum quic_packet_kind kind_of(struct span datagram, const ngtcp2_version_cid *seen, int code)
{
    if (code != 0 && code != NGTCP2_ERR_VERSION_NEGOTIATION) {
        return QUIC_PACKET_NOISE;
    }
    if (seen->version == 0 && (datagram.bytes[0] & 0x80U) == 0) {
        return QUIC_PACKET_SHORT;
    }
    if (seen->version == 0) {
        return QUIC_PACKET_NOISE; /* Version Negotiation is for servers to send */
    }
    if (code != 0 || seen->version != NGTCP2_PROTO_VER_V1) {
        return datagram.size < QUIC_PACKET_FIRST_MIN ? QUIC_PACKET_NOISE
                                                     : QUIC_PACKET_OTHER_VERSION;
    }
    bool good = seen->dcidlen >= QUIC_PACKET_ID_MIN && seen->dcidlen <= QUIC_ROUTES_ID_MAX &&
                seen->scidlen <= QUIC_ROUTES_ID_MAX;
    return good ? QUIC_PACKET_LONG : QUIC_PACKET_NOISE;
}

void quic_packet_read(struct span datagram, struct quic_packet *out)
{
    ngtcp2_version_cid seen = {0};
    *out = (struct quic_packet){.kind = QUIC_PACKET_NOISE};
    if (datagram.size == 0) {
        return;
    }
    int code = ngtcp2_pkt_decode_version_cid(&seen, datagram.bytes, datagram.size, QUIC_ID_SIZE);
    out->kind = kind_of(datagram, &seen, code);
    if (out->kind == QUIC_PACKET_NOISE) {
        return;
    }
    out->id = (struct span){seen.dcid, seen.dcidlen};
    out->source = (struct span){seen.scid, seen.scidlen};
}
