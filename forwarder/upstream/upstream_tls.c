/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * OpenSSL as a client (see upstream_tls.h).
 */
#include "forwarder/upstream/upstream_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "forwarder/generation/trusted_certificates.h"
#include "forwarder/log.h"

struct upstream_tls {
    SSL_CTX *context;
};

/* Length and name, as ALPN wants it (RFC 7301). */
static const unsigned char ALPN_DOT[] = {3, 'd', 'o', 't'};

/* A new session, of which OpenSSL gives us a reference by returning 1. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct upstream_tls_ticket *ticket = SSL_get_app_data(ssl);
    if (ticket == NULL) {
        return 0;
    }
    SSL_SESSION_free(ticket->session);
    ticket->session = session;
    return 1;
}

static bool set_up(SSL_CTX *context)
{
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_session);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_alpn_protos(context, ALPN_DOT, sizeof ALPN_DOT) == 0;
}

struct upstream_tls *upstream_tls_new(const struct config_upstream *config,
                                      char why[static WHY_MAX])
{
    X509_STORE *store = trusted_certificates_read(config, why);
    if (store == NULL) {
        return NULL;
    }
    struct upstream_tls *tls = calloc(1, sizeof *tls);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (tls == NULL || context == NULL || !set_up(context)) {
        snprintf(why, WHY_MAX, "out of memory");
        SSL_CTX_free(context);
        X509_STORE_free(store);
        free(tls);
        return NULL;
    }
    SSL_CTX_set_cert_store(context, store); /* takes it over */
    tls->context = context;
    return tls;
}

void upstream_tls_free(struct upstream_tls *tls)
{
    if (tls != NULL) {
        SSL_CTX_free(tls->context);
        free(tls);
    }
}

void upstream_tls_ticket_fini(struct upstream_tls_ticket *ticket)
{
    SSL_SESSION_free(ticket->session);
    ticket->session = NULL;
}

/* A TLS 1.3 ticket is good for one connection (RFC 8446 appendix C.4); the next one brings more. */
static void resume(SSL *ssl, struct upstream_tls_ticket *ticket, uint64_t now_ms)
{
    if (ticket->session != NULL && now_ms - ticket->verified_ms < UPSTREAM_TLS_RESUME_MS) {
        (void)SSL_set_session(ssl, ticket->session);
    }
    upstream_tls_ticket_fini(ticket);
    SSL_set_app_data(ssl, ticket);
}

SSL *upstream_tls_connect(struct upstream_tls *tls, const char *name,
                          struct upstream_tls_ticket *ticket, uint64_t now_ms)
{
    SSL *ssl = SSL_new(tls->context);
    if (ssl == NULL) {
        return NULL;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (SSL_set1_host(ssl, name) != 1 || SSL_set_tlsext_host_name(ssl, name) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_app_data(ssl, NULL);
    if (ticket != NULL) {
        resume(ssl, ticket, now_ms);
    }
    return ssl;
}

void upstream_tls_connected(SSL *ssl, struct upstream_target *target,
                            struct upstream_tls_ticket *ticket, uint64_t now_ms)
{
    if (ticket != NULL && SSL_session_reused(ssl) == 0) {
        ticket->verified_ms = now_ms;
    }
    if (atomic_exchange(&target->trust, UPSTREAM_VERIFIED) == UPSTREAM_REFUSED) {
        log_event(LOG_LEVEL_INFO, "upstream", "certificate is accepted again", "address=%s name=%s",
                  target->text, target->tls_name);
    }
}

bool upstream_tls_refused(SSL *ssl, struct upstream_target *target)
{
    long result = SSL_get_verify_result(ssl);
    if (result == X509_V_OK) {
        return false;
    }
    if (atomic_exchange(&target->trust, UPSTREAM_REFUSED) != UPSTREAM_REFUSED) {
        log_event(LOG_LEVEL_ERROR, "upstream", "certificate is refused",
                  "address=%s name=%s reason=\"%s\"", target->text, target->tls_name,
                  X509_verify_cert_error_string(result));
    }
    return true;
}
