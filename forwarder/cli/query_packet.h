/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Queries in a captured packet: DNS over UDP and TCP to port 53, over IPv4 or IPv6. Captured bytes
 * are anybody's; what cannot be read is passed over, and no read goes past the end. Of a packet
 * that was captured in part the question is enough. Fragments and messages that continue in another
 * segment are not put together.
 */
#pragma once

#include "forwarder/cli/query_record.h"
#include "forwarder/wire/span.h"

/* What a packet begins with. */
enum query_packet_link {
    QUERY_PACKET_ETHERNET,
    QUERY_PACKET_IP,       /* no link layer */
    QUERY_PACKET_COOKED,   /* Linux "any" device, version 1 */
    QUERY_PACKET_COOKED_2, /* version 2 */
    QUERY_PACKET_LOOPBACK, /* of BSD: an address family */
};

/* Tells of each query in the packet; false if that ended it. */
bool query_packet_each(enum query_packet_link link, struct span packet, query_record_fn *tell,
                       void *ctx);
