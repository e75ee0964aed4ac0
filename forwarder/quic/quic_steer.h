/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The socket options of QUIC. A connection lives in one worker, but the kernel spreads datagrams
 * over the workers' sockets (SO_REUSEPORT) by the client's address and port, and a port may change
 * behind the client's back. So a filter of eight instructions, of the kind that needs no privilege,
 * chooses the socket by the worker's number in the connection ID (quic_id.h). A first packet, whose
 * ID the client chose at random, lands anywhere and always in the same place.
 */
#pragma once

#include <stdbool.h>

/* For all sockets that share the address of this one: the first is worker 0's, and so on in the
 * order in which they were bound. Packets of a worker's own connections reach it however many
 * workers (at most QUIC_ID_WORKERS_MAX) there are; those of handshakes that have just begun may
 * not, when their number changes. False with errno set. */
bool quic_steer(int descriptor, unsigned workers);

/* Datagrams leave whole or not at all (RFC 9000 section 14), whatever path MTU was announced.
 * False with errno set. */
bool quic_steer_whole(int descriptor, bool ipv6);
