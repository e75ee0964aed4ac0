/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A connection towards an upstream server, as streams, transfers and health checks open it: TCP, or
 * TLS where the server's target says so, and with `send-client: proxy-protocol` a PROXY header as
 * its first octets. Under TLS the header is inside, as dnsdist and Unbound expect it.
 */
#pragma once

#include "forwarder/upstream/upstream_tls.h"
#include "forwarder/wire/proxy_header.h"

struct bufferevent;
struct event_base;
struct query_ends;

struct upstream_transport {
    struct event_base *base;
    struct upstream_target *target;
    struct upstream_tls *tls;           /* for a TLS server */
    struct upstream_tls_ticket *ticket; /* a session to resume; may be NULL */
    uint64_t now_ms;                    /* monotonic, for the ticket */
    bool proxied;                       /* begin with a PROXY header */
    const struct query_ends *ends;      /* that speaks for these, or for nobody (NULL, zeroed) */
};

/* Begins to connect; callbacks are the caller's to set, and come from the loop only. What is
 * written meanwhile waits for the connection and, with TLS, for the verified handshake.
 * BEV_EVENT_CONNECTED tells when. NULL when memory or descriptors are out or the system refuses at
 * once. */
struct bufferevent *upstream_transport_open(const struct upstream_transport *transport);

/* Closes it, with a close_notify of TLS if it was connected. NULL is allowed. */
void upstream_transport_close(struct bufferevent *connection);

/* The header that stands before a query: for these ends, or for nobody (NULL, zeroed). Octets
 * written. */
size_t upstream_transport_header(enum proxy_header_transport kind, const struct query_ends *ends,
                                 uint8_t out[static PROXY_HEADER_ENCODED_MAX]);
