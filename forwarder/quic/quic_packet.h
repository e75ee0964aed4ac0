/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a datagram of a stranger is, as far as that can be told before any key is known (RFC 8999):
 * enough to find its connection, or to answer without having one. No sockets, no heap.
 */
#pragma once

#include "forwarder/wire/span.h"

/* Fewer octets may hold neither a first packet (RFC 9000 section 14.1) nor earn an answer to one.
 */
#define QUIC_PACKET_FIRST_MIN 1200U

/* Octets of an ID that a client may choose for us (RFC 9000 section 7.2). */
#define QUIC_PACKET_ID_MIN 8U

enum quic_packet_kind {
    QUIC_PACKET_NOISE,         /* not QUIC, or too short to be answered */
    QUIC_PACKET_OTHER_VERSION, /* Version Negotiation is due (RFC 9000 section 6) */
    QUIC_PACKET_LONG,          /* of a handshake in our version */
    QUIC_PACKET_SHORT,         /* of a connection that is up, or was */
};

struct quic_packet {
    enum quic_packet_kind kind;
    struct span id;     /* destination connection ID; points into the datagram */
    struct span source; /* source connection ID; empty for QUIC_PACKET_SHORT */
};

void quic_packet_read(struct span datagram, struct quic_packet *out);
