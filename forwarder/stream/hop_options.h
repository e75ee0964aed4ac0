/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The EDNS options that belong to the hop between a client and us where that hop is encrypted (tls,
 * https, quic): edns-tcp-keepalive (11, RFC 7828) and padding (12, RFC 7830). They are taken out of
 * a query before anybody else sees it, and answered by us: padding by blocks (RFC 8467 section
 * 4.1), so that an answer made here has no size of its own. Whatever else a message holds stays as
 * it came, and a message without these options stays so to the octet.
 *
 * Left alone is a message that cannot be read to its end, that has two OPTs or an unreadable one,
 * that is signed (TSIG or SIG(0) last: the options are part of what was signed), or that has
 * records behind its OPT that would not bear to be moved. Pure: no heap, no sockets.
 */
#pragma once

#include <stdint.h>

#include "forwarder/origin.h"
#include "forwarder/wire/dns.h"

#define HOP_OPTIONS_BLOCK 468 /* octets that a padded answer is a multiple of */

/* Takes both options out of a query, in place; its new size. *hop says what was there, and whether
 * there was an OPT at all. */
size_t hop_options_take(uint8_t *query, size_t size, struct origin_hop *hop);

/* Writes the answer to such a query with the hop's own options in its OPT in place of any that it
 * came with: the idle time, if the query asked for it (0: this transport has none to tell), and
 * padding, if the query was padded. A NOERROR or NXDOMAIN that is to be padded and has no OPT gets
 * one (RFC 6891 section 6.2.1: OPT is a matter of the hop). Octets in out; 0: the answer goes as it
 * is. */
size_t hop_options_put(struct span answer, const struct origin_hop *hop, unsigned idle_ms,
                       uint8_t out[static DNS_MESSAGE_MAX]);
