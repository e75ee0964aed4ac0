/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The header of the PROXY protocol, version 2 (HAProxy's proxy-protocol.txt, section 2.2), in which
 * a proxy says for whom it speaks. It stands before a datagram, or once before all octets of a
 * stream. Reading and writing; whom to believe is decided elsewhere (true_client.h). Version 1,
 * which is text, is not read. Pure: no clock, no heap, no sockets.
 */
#pragma once

#include <stdint.h>

#include "forwarder/wire/span.h"

/* Octets before the addresses: signature, command, family, length. */
#define PROXY_HEADER_FIXED 16

/* The longest header that is read; its length field could announce 65551 octets. Addresses take at
 * most 36 of them (216 for AF_UNIX), the rest is TLVs. dnsdist has the same limit by default. No
 * sender can make us wait for, or keep, more than this. */
#define PROXY_HEADER_MAX (PROXY_HEADER_FIXED + 512)

/* Octets that proxy_header_encode writes at most. */
#define PROXY_HEADER_ENCODED_MAX (PROXY_HEADER_FIXED + 36)

/* An address and a port; IPv4 in its IPv4-mapped form, ::ffff:a.b.c.d. */
struct proxy_header_end {
    uint8_t octet[16];
    uint16_t port; /* host byte order */
};

enum proxy_header_kind {
    PROXY_HEADER_LOCAL,   /* the proxy speaks for itself: a health check */
    PROXY_HEADER_CLIENT,  /* it speaks for the source below */
    PROXY_HEADER_UNKNOWN, /* it speaks for somebody whose address it does not tell: AF_UNIX,
                           * family or transport UNSPEC */
};

struct proxy_header {
    enum proxy_header_kind kind;
    size_t size; /* of the whole header, TLVs included: the message begins behind it */
    struct proxy_header_end source;      /* PROXY_HEADER_CLIENT: who asks */
    struct proxy_header_end destination; /* PROXY_HEADER_CLIENT: whom it asked */
};

enum proxy_header_outcome {
    PROXY_HEADER_WHOLE,
    PROXY_HEADER_SHORT, /* it is cut: an error in a datagram; on a stream more may come */
    PROXY_HEADER_BAD,   /* no continuation makes it a header that is read here */
};

/* Reads the header at the beginning of bytes. A checksum (PP2_TYPE_CRC32C) must be right where
 * there is one; all other TLVs are stepped over, but must fill the declared length exactly. *out is
 * set if WHOLE. */
enum proxy_header_outcome proxy_header_decode(struct span bytes, struct proxy_header *out);

/* How many octets, from the first, must be there before more can be said: PROXY_HEADER_FIXED, or
 * the whole header once those are. 0: proxy_header_decode would say BAD. For readers of streams,
 * which must not read behind the header. */
size_t proxy_header_need(struct span bytes);

enum proxy_header_transport {
    PROXY_HEADER_STREAM = 1,
    PROXY_HEADER_DATAGRAM = 2,
};

/* Writes a header that speaks for source, without TLVs: in the family IPv4 if both ends have it,
 * else IPv6. Returns octets written, 28 or 52. */
size_t proxy_header_encode(enum proxy_header_transport transport,
                           const struct proxy_header_end *source,
                           const struct proxy_header_end *destination,
                           uint8_t out[static PROXY_HEADER_ENCODED_MAX]);

/* The same for one that speaks for nobody but the sender (LOCAL): 16 octets. */
size_t proxy_header_encode_local(uint8_t out[static PROXY_HEADER_ENCODED_MAX]);
