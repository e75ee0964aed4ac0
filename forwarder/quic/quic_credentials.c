/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Certificates and sessions of GnuTLS (see quic_credentials.h).
 */
#include "forwarder/quic/quic_credentials.h"

#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <stdio.h>
#include <stdlib.h>

#define PRIORITY                                                                              \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:" \
    "%DISABLE_TLS13_COMPAT_MODE"

struct quic_credentials {
    unsigned references;
    gnutls_certificate_credentials_t pair;
    gnutls_priority_t priority;
};

struct quic_tickets {
    gnutls_datum_t key;
};

static gnutls_datum_t datum(struct span bytes)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)bytes.bytes, (unsigned)bytes.size};
}

struct quic_credentials *quic_credentials_new(struct span certificate, struct span key,
                                              char why[static WHY_MAX])
{
    gnutls_datum_t chain = datum(certificate);
    gnutls_datum_t secret = datum(key);
    struct quic_credentials *credentials = calloc(1, sizeof *credentials);
    if (credentials == NULL) {
        snprintf(why, WHY_MAX, "out of memory");
        return NULL;
    }
    credentials->references = 1;
    int error = gnutls_certificate_allocate_credentials(&credentials->pair);
    if (error == 0) {
        error = gnutls_certificate_set_x509_key_mem(credentials->pair, &chain, &secret,
                                                    GNUTLS_X509_FMT_PEM);
    }
    if (error >= 0) {
        error = gnutls_priority_init(&credentials->priority, PRIORITY, NULL);
    }
    if (error < 0) {
        snprintf(why, WHY_MAX, "certificate and key: %s", gnutls_strerror(error));
        quic_credentials_unref(credentials);
        return NULL;
    }
    return credentials;
}

struct quic_credentials *quic_credentials_ref(struct quic_credentials *credentials)
{
    credentials->references++;
    return credentials;
}

void quic_credentials_unref(struct quic_credentials *credentials)
{
    if (credentials == NULL || --credentials->references > 0) {
        return;
    }
    if (credentials->pair != NULL) {
        gnutls_certificate_free_credentials(credentials->pair);
    }
    if (credentials->priority != NULL) {
        gnutls_priority_deinit(credentials->priority);
    }
    free(credentials);
}

struct quic_tickets *quic_tickets_new(void)
{
    struct quic_tickets *tickets = calloc(1, sizeof *tickets);
    if (tickets == NULL || gnutls_session_ticket_key_generate(&tickets->key) != 0) {
        free(tickets);
        return NULL;
    }
    return tickets;
}

void quic_tickets_free(struct quic_tickets *tickets)
{
    if (tickets == NULL) {
        return;
    }
    explicit_bzero(tickets->key.data, tickets->key.size);
    gnutls_free(tickets->key.data);
    free(tickets);
}

gnutls_session_t quic_credentials_session(const struct quic_credentials *credentials,
                                          const struct quic_tickets *tickets)
{
    const gnutls_datum_t protocol = datum((struct span){(const uint8_t *)"doq", 3});
    gnutls_session_t session;
    if (gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET) != 0) {
        return NULL;
    }
    if (gnutls_priority_set(session, credentials->priority) != 0 ||
        gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials->pair) != 0 ||
        gnutls_session_ticket_enable_server(session, &tickets->key) != 0 ||
        gnutls_alpn_set_protocols(session, &protocol, 1, GNUTLS_ALPN_MANDATORY) != 0 ||
        ngtcp2_crypto_gnutls_configure_server_session(session) != 0) {
        gnutls_deinit(session);
        return NULL;
    }
    return session;
}
