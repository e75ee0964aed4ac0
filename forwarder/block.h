/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From a verdict to bytes: the answers that Bailiwick makes itself (interfaces section 4). Every
 * function writes a whole message for the query it is given and returns its size. Pure: the
 * clock, the cookie secret and the block's text come as arguments; no heap, no sockets, no orders.
 */
#pragma once

#include "forwarder/wire/edns.h"

/* Octets of the largest answer made here, whatever the transport and the client's UDP size. */
#define BLOCK_ANSWER_MAX 1400

enum block_kind {
    BLOCK_REFUSED,
    BLOCK_NXDOMAIN,
    BLOCK_NODATA,
    BLOCK_ADDRESS,
};

/* The query as the path has read it; question was DNS_QUESTION_ONE. */
struct block_query {
    struct dns_header header;
    struct dns_question question;
    struct edns_query edns;
    bool stream; /* came over a stream: no UDP size applies, only BLOCK_ANSWER_MAX */
};

/* IPv4 as 4, IPv6 as 16 octets; an address of another size is in no answer. */
struct block_address {
    uint8_t size;
    uint8_t octet[16];
};

struct block_text {
    enum block_kind kind;
    unsigned matched;  /* offset of the matched name in the qname, a label's start: owner and MNAME
                        * of the SOA; for every kind but BLOCK_REFUSED */
    uint32_t ttl;      /* seconds; of the records, and MINIMUM of the SOA */
    struct span rname; /* wire form of the SOA's RNAME, at most 255 octets; empty: nobody.invalid */
    const struct block_address *addresses;
    size_t address_count;
    uint16_t info_code;     /* EDE */
    bool has_error;         /* carry an EDE at all (not for resolver-arpa) */
    struct span extra_text; /* EDE text; may be empty */
};

/* The answer of an order. Question as it came, QR=1, RA=1, AA=0, AD=0, opcode, RD and CD copied;
 * for a query with OPT one OPT back. BLOCK_ADDRESS answers A with the IPv4 and AAAA with the IPv6
 * addresses in the order given; any other type, a class other than IN and ANY (only IN has
 * addresses, RFC 1035 section 3.4), or none of the family is BLOCK_NODATA. Records have the class
 * of the question, IN for ANY. The SOA's serial and timers are those of RFC 6303 section 3.
 *
 * The answer stays within the client's UDP size (BLOCK_ANSWER_MAX at most). What does not fit goes
 * in this order, each only when the ones before it were not enough: EXTRA-TEXT as a whole (the EDE
 * code stays), a given RNAME (nobody.invalid takes its place), addresses from the last. The rest,
 * cookie included, fits 512 octets behind the longest qname, so nothing else ever goes and TC is
 * never set. Returns octets written. */
size_t block_answer(const struct block_query *query, const struct block_text *text,
                    const struct edns_cookie_env *cookie, uint8_t out[static BLOCK_ANSWER_MAX]);

/* An rcode and nothing more: the header with its counts at zero, RD and CD copied, RA as in all
 * answers made here; for messages whose question cannot be read, and NOTIMP. */
size_t block_header_only(const struct dns_header *header, enum dns_rcode rcode,
                         uint8_t out[static BLOCK_ANSWER_MAX]);

/* An rcode with the question repeated and, for a query with OPT, one OPT back: REFUSED for clients
 * that are not served (no EDE), FORMERR for two OPTs, BADVERS (RFC 6891 section 6.1.3), SERVFAIL
 * when upstream gives nothing (info_code 23, RFC 8914). info_code < 0: no EDE. */
size_t block_rcode(const struct block_query *query, enum dns_rcode rcode, int info_code,
                   const struct edns_cookie_env *cookie, uint8_t out[static BLOCK_ANSWER_MAX]);
