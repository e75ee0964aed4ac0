/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * TLS towards upstream servers (RFC 7858): whom to trust, and what a handshake must show before a
 * query is sent. A server is what it says if its certificate leads to a trusted one and is for its
 * `tls-name` (RFC 8310 section 8.1: the strict profile); there is no way around that, and none to
 * plain DNS. One context for all threads, never changed once it is made; sessions are each owner's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "forwarder/upstream/upstream_set.h"
#include "geo/problem.h"

struct config_upstream;
struct ssl_session_st;
struct ssl_st;
struct upstream_tls;

/* Trusts what the configuration says (trusted_certificates.h). NULL with a reason. */
struct upstream_tls *upstream_tls_new(const struct config_upstream *config,
                                      char why[static WHY_MAX]);
void upstream_tls_free(struct upstream_tls *tls); /* NULL is allowed */

/* The last session with a server, to be resumed by the next connection. Zeroed at first; outlives
 * the connections that refer to it. A resumed session shows no certificate: after
 * UPSTREAM_TLS_RESUME_MS one is asked for again. */
#define UPSTREAM_TLS_RESUME_MS 3600000
struct upstream_tls_ticket {
    struct ssl_session_st *session;
    uint64_t verified_ms; /* monotonic: when a certificate was last seen */
};
void upstream_tls_ticket_fini(struct upstream_tls_ticket *ticket);

/* One connection's TLS, for a server with this name; it stays the caller's. ticket may be NULL.
 * NULL when memory is out. */
struct ssl_st *upstream_tls_connect(struct upstream_tls *tls, const char *name,
                                    struct upstream_tls_ticket *ticket, uint64_t now_ms);

/* The handshake is done: a certificate was seen, or a session resumed. */
void upstream_tls_connected(struct ssl_st *ssl, struct upstream_target *target,
                            struct upstream_tls_ticket *ticket, uint64_t now_ms);

/* The connection ended before that. Was it the certificate? That is logged when it is new. */
bool upstream_tls_refused(struct ssl_st *ssl, struct upstream_target *target);
