/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The keys of TLS session tickets (RFC 5077, RFC 8446 section 4.6.1): one set for a process, so
 * that a client resumes with any worker, on any of its listeners' sockets, before and after a
 * reload. Keys rotate: tickets are made with the newest, and those of TLS_TICKETS_OLD keys before
 * it are still taken, and renewed. Keys are made here, never written anywhere, and wiped.
 *
 * Locked: used in handshakes only, never for a query.
 */
#pragma once

#include <openssl/types.h>

#define TLS_TICKETS_OLD 2
#define TLS_TICKETS_ROTATE_S 3600 /* how often tls_tickets_rotate is to be called */

struct tls_tickets;

/* With a first key. NULL when memory or random numbers are out. */
struct tls_tickets *tls_tickets_new(void);
void tls_tickets_free(struct tls_tickets *tickets); /* NULL is allowed */

/* A new key takes over. Without random numbers the keys stay as they are. */
void tls_tickets_rotate(struct tls_tickets *tickets);

/* Connections of this context make and take tickets with these keys, which outlive it. */
void tls_tickets_use(struct tls_tickets *tickets, SSL_CTX *context);
