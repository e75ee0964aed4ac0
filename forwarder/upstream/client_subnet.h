/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `send-client: ecs`, as bytes: the client's network put into a query (RFC 7871 section 7.1), and
 * taken out of the answer, so that the client gets what it would have got without. Pure functions;
 * who is asked, and what is kept meanwhile, is in upstream_subnet.h. What trusted peers tell about
 * their clients is read elsewhere (true_client.h).
 *
 * Left alone, and passed on as they are: messages that cannot be read to their last octet or have
 * more than one OPT; signed ones (TSIG, SIG(0)); EDNS versions above 0; opcodes other than QUERY,
 * classes other than IN, zone transfers; a client's option that is malformed, or that asks with
 * SOURCE 0 not to be told of (section 7.1.2).
 */
#pragma once

#include "forwarder/wire/span.h"
#include "geo/address.h"

/* What was changed in a query. */
enum client_subnet {
    CLIENT_SUBNET_NONE,
    CLIENT_SUBNET_OPT,     /* an OPT was added, with the option */
    CLIENT_SUBNET_OPTION,  /* the option was added to the OPT; or took the place of several */
    CLIENT_SUBNET_REPLACED /* it took the place of the client's own */
};

/* Octets that a query grows by at most. */
#define CLIENT_SUBNET_GROWTH (11 + 4 + 4 + 16)

/* What may be told of whom. */
struct client_subnet_teller {
    const struct address *client;
    uint8_t spread; /* bits at its end that nobody told (query.h) */
    uint8_t ipv4_bits;
    uint8_t ipv6_bits;
};

/* Writes the query with the client's network, to as many bits as may be told, or fewer if the
 * client's own option tells fewer of the same network. An OPT that is added offers so much over
 * UDP that without it the answer is one of 512 octets. CLIENT_SUBNET_NONE: nothing was written. */
enum client_subnet client_subnet_query(struct span query, const struct client_subnet_teller *teller,
                                       struct span_writer *out);

/* Writes the answer to a query that was changed so, as its client (whose query is told for
 * CLIENT_SUBNET_REPLACED) would have got it: without our OPT; without the option; or with the
 * client's FAMILY, SOURCE and ADDRESS, and as SCOPE its SOURCE, or 0 if the answer is for everybody
 * (section 7.2.1). Records behind an OPT that changes its size are left out if something in them
 * may point there. False, and the answer is for the client as it is, if there is nothing to change
 * or it cannot be read. */
bool client_subnet_answer(struct span answer, enum client_subnet change, struct span query,
                          struct span_writer *out);

/* Writes a query without what was put into it, to ask it again (section 7.1.3). False if it does
 * not fit. */
bool client_subnet_withdraw(struct span query, enum client_subnet change, struct span_writer *out);

/* May the answer be a refusal of the option (section 7.1.3) or of the OPT (RFC 6891 section 7)? */
bool client_subnet_is_refusal(struct span answer, enum client_subnet change);
