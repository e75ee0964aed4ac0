/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One UDP socket that QUIC clients reach, in one worker: packets go to their connections; strangers
 * get a connection, a Retry, a Version Negotiation, a stateless reset, or nothing. No more octets
 * go to an address that may be forged than three times what came from it.
 */
#pragma once

#include <stdbool.h>

struct config_address;
struct quic_credentials;
struct quic_endpoint;
struct quic_table;

struct quic_endpoint_setup {
    int descriptor; /* taken over in any case */
    const struct config_address *address;
    bool wildcard; /* bound to all addresses */
};

/* The socket is one of a group that quic_steer.h looks after. NULL when memory is out, or the
 * kernel does not know the socket options that this takes. */
struct quic_endpoint *quic_endpoint_new(struct quic_table *table,
                                        const struct quic_endpoint_setup *setup);
void quic_endpoint_free(struct quic_endpoint *endpoint); /* NULL is allowed */

/* Takes no more queries or connections; those it has close as their answers have been received. */
void quic_endpoint_drain(struct quic_endpoint *endpoint);

/* Has it no connection? */
bool quic_endpoint_unused(const struct quic_endpoint *endpoint);

/* Closes the connections that it has, tells the clients, and frees it. */
void quic_endpoint_close(struct quic_endpoint *endpoint);

/* New connections use these from now on; a reference is taken. NULL, as at the beginning: there are
 * none, and packets of new clients are dropped. */
void quic_endpoint_renew(struct quic_endpoint *endpoint, struct quic_credentials *credentials);
