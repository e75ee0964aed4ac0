/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a listener proves itself with: a certificate chain with its key, as GnuTLS holds them,
 * immutable and counted by its connections; and the key of session tickets, one for all workers.
 * GnuTLS derives the keys that tickets are made with from that one and changes them by itself.
 */
#pragma once

#include <gnutls/gnutls.h>

#include "forwarder/wire/span.h"
#include "geo/problem.h"

struct quic_credentials;
struct quic_tickets;

/* From a chain and a key in PEM. NULL with a reason. The first reference is the caller's. */
struct quic_credentials *quic_credentials_new(struct span certificate, struct span key,
                                              char why[static WHY_MAX]);

/* References belong to one thread. */
struct quic_credentials *quic_credentials_ref(struct quic_credentials *credentials);
void quic_credentials_unref(struct quic_credentials *credentials); /* NULL is allowed */

/* NULL when memory is out. */
struct quic_tickets *quic_tickets_new(void);
void quic_tickets_free(struct quic_tickets *tickets); /* NULL is allowed */

/* A server's TLS session for one connection: TLS 1.3, ALPN doq and nothing else (RFC 9250 section
 * 4.1.1), no early data. The credentials must outlive it. NULL when memory is out. */
gnutls_session_t quic_credentials_session(const struct quic_credentials *credentials,
                                          const struct quic_tickets *tickets);
