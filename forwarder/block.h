/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From a verdict to bytes: the answers that Bailiwick makes itself (ANSWERS in bailiwickd(8)).
 * Every function writes a whole message for the query it is given and returns its size. Pure: the
 * clock, the cookie secret and the block's text come as arguments; no heap, no sockets, no orders.
 */
#pragma once

#include "forwarder/wire/edns.h"

/* Octets of the largest answer made here, whatever the transport and the client's UDP size. */
#define BLOCK_ANSWER_MAX 1400

/* More records than any answer holds: an owner, the fixed fields and one octet of RDATA each. */
#define BLOCK_RECORDS_MAX 128

enum block_kind {
    BLOCK_REFUSED,
    BLOCK_NXDOMAIN,
    BLOCK_NODATA,
    BLOCK_RECORDS,   /* at least one, in ANSWER */
    BLOCK_YXDOMAIN,  /* the name that an alias would lead to is too long */
    BLOCK_TRUNCATED, /* nothing but TC=1: ask again over a stream */
};

/* The query as the path has read it; question was DNS_QUESTION_ONE. */
struct block_query {
    struct dns_header header;
    struct dns_question question;
    struct edns_query edns;
    bool stream; /* came over a stream: no UDP size applies, only BLOCK_ANSWER_MAX */
};

/* A record of the answer, owned by the qname. */
struct block_record {
    uint16_t type;
    struct span data; /* RDATA, without compression pointers */
};

struct block_text {
    enum block_kind kind;
    unsigned matched;  /* offset of the matched name in the qname, a label's start: owner and MNAME
                        * of an SOA */
    uint32_t ttl;      /* seconds; of the records, and MINIMUM of the SOA */
    struct span rname; /* wire form of the SOA's RNAME, at most 255 octets; empty: nobody.invalid */
    const struct block_record *records; /* BLOCK_RECORDS */
    size_t record_count;
    uint16_t info_code;     /* EDE */
    bool has_error;         /* carry an EDE at all (not for resolver-arpa) */
    struct span extra_text; /* EDE text; may be empty */
    struct span short_text; /* takes its place where it does not fit; may be empty */
};

/* The answer of an order. Question as it came, QR=1, RA=1, AA=0, AD=0, opcode, RD and CD copied;
 * for a query with OPT one OPT back. Records have the class of the question, IN for ANY; NXDOMAIN
 * and NODATA have an SOA in AUTHORITY, whose serial and timers are those of RFC 6303 section 3.
 *
 * The answer stays within the client's UDP size (BLOCK_ANSWER_MAX at most). What does not fit goes
 * in this order, each only when the ones before it were not enough: what short_text leaves out of
 * EXTRA-TEXT, EXTRA-TEXT as a whole (the EDE code stays), a given RNAME (nobody.invalid takes its
 * place), records from the last. Where not one record fits, TC=1 leads the client to a stream; on a
 * stream it is NODATA. The rest, cookie included, fits 512 octets behind the longest qname, so
 * nothing else ever goes, and nothing else sets TC. cookie may be NULL where the query has none.
 * Returns octets written. */
size_t block_answer(const struct block_query *query, const struct block_text *text,
                    const struct edns_cookie_env *cookie, uint8_t out[static BLOCK_ANSWER_MAX]);

/* What upstream says of the target of a CNAME. Its names hold no compression pointers. */
struct block_tail {
    enum dns_rcode rcode;
    bool truncated;     /* it was not all: over UDP it goes as if it did not fit */
    struct span answer; /* whole records */
    uint16_t answer_count;
    struct span authority; /* whole records: the SOA of a negative answer */
    uint16_t authority_count;
};

/* An answer as above whose records, a CNAME, lead to what upstream says of its target; the rcode is
 * that of the tail. Over a stream it may fill the writer; what does not fit over UDP goes in this
 * order: EXTRA-TEXT as above, the tail's authority, all records with TC=1. Appends to the empty
 * writer and returns octets written; 0 if not even a stream has room. */
size_t block_cname(const struct block_query *query, const struct block_text *text,
                   const struct edns_cookie_env *cookie, const struct block_tail *tail,
                   struct span_writer *out);

/* An rcode and nothing more: the header with its counts at zero, RD and CD copied, RA as in all
 * answers made here; for messages whose question cannot be read, and NOTIMP. */
size_t block_header_only(const struct dns_header *header, enum dns_rcode rcode,
                         uint8_t out[static BLOCK_ANSWER_MAX]);

/* An rcode with the question repeated and, for a query with OPT, one OPT back: REFUSED for clients
 * that are not served (no EDE), FORMERR for two OPTs, BADVERS (RFC 6891 section 6.1.3), SERVFAIL
 * when upstream gives nothing (info_code 23, RFC 8914). info_code < 0: no EDE. */
size_t block_rcode(const struct block_query *query, enum dns_rcode rcode, int info_code,
                   const struct edns_cookie_env *cookie, uint8_t out[static BLOCK_ANSWER_MAX]);
