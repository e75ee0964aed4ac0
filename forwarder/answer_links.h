/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where an answer leads: the names and addresses in it that a client would go on with, in the order
 * in which they stand, those of DNAME records last. Reads, and judges nothing; upstream's octets
 * are not trusted. No heap, no sockets, no orders.
 *
 * A name is the target of a CNAME, a DNAME, or an SVCB or HTTPS record (RFC 9460); an address that
 * of an A or AAAA record, or a hint of SVCB and HTTPS. Records of the answer section count whatever
 * their owner; those of the additional section only if their owner is the qname or a name reported
 * before, so that addresses of name servers, mail servers and the like do not count. Names
 * count in any class, addresses, SVCB and HTTPS in class IN alone.
 */
#pragma once

#include "forwarder/wire/span.h"
#include "geo/address.h"
#include "policy/dname.h"

struct answer_link {
    const struct dname *name; /* borrowed for the call; NULL: it is an address */
    struct address address;
};

/* Called with a link. True ends the walk. */
typedef bool answer_link_fn(void *ctx, const struct answer_link *link);

enum answer_links_outcome {
    ANSWER_LINKS_WHOLE,   /* every link was reported */
    ANSWER_LINKS_CUT,     /* not all of them: the message, or a record that may hold links, cannot
                           * be read to its end, or there are more than are reported */
    ANSWER_LINKS_STOPPED, /* fn ended the walk */
};

/* The most links that are reported: a message of 64 KB can hold thousands of names, and to judge
 * them all would keep a worker from its other clients. Resolvers follow chains of some 16 aliases,
 * and refuse or cut sets of more than some hundred records; whoever hides a link behind so many
 * others sends clients to those as well. */
#define ANSWER_LINKS_NAMES_TOLD 64
#define ANSWER_LINKS_ADDRESSES_TOLD 1024

/* Names that are remembered, to know whose addresses an additional section holds and what DNAME
 * records lead on: the qname, and all that are reported. */
#define ANSWER_LINKS_NAMES (1 + ANSWER_LINKS_NAMES_TOLD)

/* Calls fn for each link. An IPv6 address that carries an IPv4 one is reported twice, as itself and
 * as the other: 6to4 (RFC 3056) and the well-known prefix of NAT64 (RFC 6052), with which DNS64
 * writes A records as AAAA; an IPv4-mapped one is only that IPv4 address. A DNAME is reported by
 * the names that it makes of the qname and of names reported, those that another one makes too,
 * wherever in the answer they stand, unless these were reported already; if none of them is below
 * its owner and the answer was read to its end, by its target. Of the DNAME records the first
 * ANSWER_LINKS_NAMES_TOLD are read. */
enum answer_links_outcome answer_links_walk(struct span answer, const struct dname *qname,
                                            answer_link_fn *fn, void *ctx);
