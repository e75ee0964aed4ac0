/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A certificate (with its chain) and its private key, as two PEM files gave them, judged as one:
 * either both are usable together or there is no pair. Immutable, shared by counted references
 * among generations and workers. The key is held in memory alone, and wiped.
 */
#pragma once

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "forwarder/wire/span.h"
#include "geo/file_bytes.h"
#include "geo/problem.h"

struct tls_pair;
struct tls_tickets;

/* The protocol that a client must offer, if it offers any (ALPN, RFC 7301). */
enum tls_pair_protocol {
    TLS_PAIR_DOT, /* RFC 7858; a client that names none is served too */
    TLS_PAIR_H2,  /* RFC 8484 over HTTP/2; nothing else is served */
};
#define TLS_PAIR_PROTOCOLS 2

/* Two files as they were read. */
struct tls_files {
    const char *certificate; /* their paths */
    const char *key;
    struct file_bytes certificate_bytes;
    struct file_bytes key_bytes;
};

/* What is wrong, and with which of the two. */
struct tls_fault {
    bool in_key;
    char why[WHY_MAX];
};

/* Takes over the bytes of *files in any case, and leaves them empty. tickets (NULL: tickets have
 * keys of the pair's own) outlive the pair. NULL with what is wrong; a certificate that is not
 * valid now is a pair all the same. */
struct tls_pair *tls_pair_new(struct tls_files *files, struct tls_tickets *tickets,
                              struct tls_fault *fault);
struct tls_pair *tls_pair_ref(struct tls_pair *pair);
void tls_pair_unref(struct tls_pair *pair); /* NULL is allowed */

/* Was it read from these paths? From the same bytes? */
bool tls_pair_is_of(const struct tls_pair *pair, const char *certificate, const char *key);
bool tls_pair_is_same(const struct tls_pair *pair, const struct tls_files *files);

/* What connections are made from. It belongs to the pair; connections made from it outlive it. */
SSL_CTX *tls_pair_context(const struct tls_pair *pair, enum tls_pair_protocol protocol);

/* The files' octets, for another TLS library; live as long as the pair. The key is secret. */
struct span tls_pair_certificate(const struct tls_pair *pair);
struct span tls_pair_key(const struct tls_pair *pair);

/* The time in which the certificate is valid; seconds since the epoch. */
int64_t tls_pair_begins(const struct tls_pair *pair);
int64_t tls_pair_ends(const struct tls_pair *pair);
