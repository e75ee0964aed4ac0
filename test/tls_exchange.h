/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Handshakes of TLS between a context of ours and a client, in memory. Each test binary includes it
 * once.
 */
#pragma once

#include <check.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <string.h>

#include "forwarder/stream/tls_pair.h"
#include "geo/file_bytes.h"
#include "test/certificate_make.h"

/* What a client is like, and what came of its handshake. */
struct tls_exchange {
    int version;          /* TLS1_2_VERSION, TLS1_3_VERSION; 0: any */
    const char *alpn;     /* "\3dot"; NULL: none */
    SSL_SESSION *session; /* to be resumed, or NULL; the new one afterwards, to be freed */

    bool done;
    bool resumed;
    char chosen[16]; /* by ALPN; "": none */
};

/* The pair of these texts, as if read from cert.pem and key.pem. */
static inline struct tls_pair *tls_pair_of(const char *certificate, const char *key,
                                           struct tls_tickets *tickets, struct tls_fault *fault)
{
    struct tls_files files = {.certificate = "cert.pem", .key = "key.pem"};
    ck_assert(file_bytes_copy(certificate, strlen(certificate), &files.certificate_bytes));
    ck_assert(file_bytes_copy(key, strlen(key), &files.key_bytes));
    return tls_pair_new(&files, tickets, fault);
}

static inline SSL *tls_exchange_client(SSL_CTX *context, const struct tls_exchange *exchange)
{
    SSL *tls = SSL_new(context);
    ck_assert_ptr_nonnull(tls);
    SSL_set_connect_state(tls);
    if (exchange->version != 0) {
        SSL_set_min_proto_version(tls, exchange->version);
        SSL_set_max_proto_version(tls, exchange->version);
    }
    if (exchange->alpn != NULL) {
        ck_assert_int_eq(SSL_set_alpn_protos(tls, (const unsigned char *)exchange->alpn,
                                             (unsigned)strlen(exchange->alpn)),
                         0);
    }
    if (exchange->session != NULL) {
        SSL_set_session(tls, exchange->session);
    }
    return tls;
}

/* Both sides go on until neither can: four rounds are more than a handshake takes. */
static inline void tls_exchange_rounds(SSL *client, SSL *server)
{
    char octet;
    for (unsigned i = 0; i < 4; i++) {
        (void)SSL_do_handshake(client);
        (void)SSL_do_handshake(server);
        (void)SSL_read(client, &octet, 1); /* a ticket comes behind the handshake */
    }
}

static inline void tls_exchange_run(SSL_CTX *server_context, struct tls_exchange *exchange)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *client = tls_exchange_client(context, exchange);
    SSL *server = SSL_new(server_context);
    BIO *near, *far;
    const unsigned char *chosen;
    unsigned size;
    ck_assert_int_eq(BIO_new_bio_pair(&near, 0, &far, 0), 1);
    SSL_set_bio(client, near, near);
    SSL_set_bio(server, far, far);
    SSL_set_accept_state(server);
    tls_exchange_rounds(client, server);
    exchange->done = SSL_is_init_finished(client) && SSL_is_init_finished(server);
    exchange->resumed = SSL_session_reused(client) == 1;
    SSL_get0_alpn_selected(client, &chosen, &size);
    snprintf(exchange->chosen, sizeof exchange->chosen, "%.*s", (int)size,
             size == 0 ? "" : (const char *)chosen);
    SSL_SESSION_free(exchange->session);
    exchange->session = SSL_get1_session(client);
    SSL_set_shutdown(client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); /* the session is good */
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(context);
    ERR_clear_error();
}
