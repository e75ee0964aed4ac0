/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where an answer leads: the names and addresses in it that a client would go on with, in the order
 * in which they stand, those of DNAME records last. Reads, and judges nothing; upstream's octets
 * are a stranger's. No heap, no sockets, no orders.
 *
 * A name is the target of a CNAME, a DNAME, or an SVCB or HTTPS record (RFC 9460); an address that
 * of an A or AAAA record, or a hint of SVCB and HTTPS. Records of the answer section count whoever
 * owns them; those of the additional section only where the qname or a name told before owns them,
 * so that the addresses of name servers, mail servers and the like are nobody's business. Names
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

/* Told of a link; true: seen enough. */
typedef bool answer_link_fn(void *ctx, const struct answer_link *link);

enum answer_links_outcome {
    ANSWER_LINKS_WHOLE,   /* everything was read, and told */
    ANSWER_LINKS_CUT,     /* the message, or a record that may hold links, cannot be read to its
                           * end, or holds more than is told of; what could be was told */
    ANSWER_LINKS_STOPPED, /* fn had seen enough */
};

/* Names that are remembered, to know whose addresses an additional section holds. */
#define ANSWER_LINKS_NAMES 32

/* Links that are told of at most: what a message of 64 KB can hold, thousands of names, would keep
 * a worker from its other clients. Resolvers follow chains of some 16 aliases, and refuse or cut
 * sets of more than some hundred records; who hides a link behind so many others shows them to all.
 */
#define ANSWER_LINKS_NAMES_TOLD 64
#define ANSWER_LINKS_ADDRESSES_TOLD 1024

/* Tells fn of each link. An IPv6 address that carries an IPv4 one is told of twice, as itself and
 * as that: 6to4 (RFC 3056) and the well-known prefix of NAT64 (RFC 6052), with which DNS64 writes A
 * records as AAAA; an IPv4-mapped one is that IPv4 address. Who redirects whole trees by DNAME is
 * told of by the names that the qname and the names told before, wherever they stand, become, if
 * they were not told of; where none is below the DNAME and the answer was read whole, by the target
 * itself. */
enum answer_links_outcome answer_links_walk(struct span answer, const struct dname *qname,
                                            answer_link_fn *fn, void *ctx);
