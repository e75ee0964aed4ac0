/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * PEM files to contexts of OpenSSL (see tls_pair.h).
 */
#include "forwarder/stream/tls_pair.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "forwarder/stream/tls_tickets.h"

/* Forward secrecy and authenticated encryption only; all of TLS 1.3's are so. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
/* Fast ones: a key exchange over a large group is a client's cheapest way to keep us busy. */
#define GROUPS "X25519:P-256:P-384"

struct tls_pair {
    atomic_uint references;
    struct tls_files files; /* paths and bytes are owned */
    int64_t begins;
    int64_t ends;
    SSL_CTX *contexts[TLS_PAIR_PROTOCOLS];
};

/* What is made of two files before it becomes contexts. */
struct parts {
    X509 *certificate;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
};

/* Says why, with OpenSSL's reason if there is one. */
static bool fail(struct tls_fault *fault, bool in_key, const char *text)
{
    unsigned long error = ERR_peek_last_error();
    const char *reason = error == 0 ? NULL : ERR_reason_error_string(error);
    fault->in_key = in_key;
    snprintf(fault->why, sizeof fault->why, reason == NULL ? "%s" : "%s (%s)", text, reason);
    ERR_clear_error();
    return false;
}

/* Nobody is there to be asked for a passphrase. */
static int no_passphrase(char *out, int size, int writes, void *ctx)
{
    (void)out;
    (void)size;
    (void)writes;
    (void)ctx;
    return -1;
}

static bool read_certificates(const struct file_bytes *file, struct parts *parts,
                              struct tls_fault *fault)
{
    BIO *bio = BIO_new_mem_buf(file->bytes, (int)file->size);
    X509 *next;
    parts->chain = sk_X509_new_null();
    if (bio == NULL || parts->chain == NULL) {
        BIO_free(bio);
        return fail(fault, false, "out of memory");
    }
    parts->certificate = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
    while (parts->certificate != NULL &&
           (next = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL) {
        if (sk_X509_push(parts->chain, next) == 0) {
            X509_free(next);
        }
    }
    BIO_free(bio);
    bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (parts->certificate == NULL && at_end) {
        ERR_clear_error();
        return fail(fault, false, "has no certificate; a PEM file is expected");
    }
    if (!at_end) { /* a chain that is cut would serve nobody */
        return fail(fault, false, "has a certificate that cannot be read");
    }
    ERR_clear_error();
    return true;
}

static bool read_key(const struct file_bytes *file, struct parts *parts, struct tls_fault *fault)
{
    BIO *bio = BIO_new_mem_buf(file->bytes, (int)file->size);
    parts->key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    if (parts->key == NULL) {
        return fail(fault, true,
                    "has no private key that can be read; a PEM file without a passphrase is "
                    "expected");
    }
    ERR_clear_error();
    return true;
}

static bool read_parts(const struct tls_files *files, struct parts *parts, struct tls_fault *fault)
{
    if (!read_certificates(&files->certificate_bytes, parts, fault) ||
        !read_key(&files->key_bytes, parts, fault)) {
        return false;
    }
    if (X509_check_private_key(parts->certificate, parts->key) != 1) {
        ERR_clear_error();
        snprintf(fault->why, sizeof fault->why, "is not the key of the certificate in %s",
                 files->certificate);
        fault->in_key = true;
        return false;
    }
    return true;
}

static void free_parts(struct parts *parts)
{
    X509_free(parts->certificate);
    sk_X509_pop_free(parts->chain, X509_free);
    EVP_PKEY_free(parts->key);
}

/* ---- Contexts ---- */

static const struct span PROTOCOLS[TLS_PAIR_PROTOCOLS] = {
    [TLS_PAIR_DOT] = {(const uint8_t *)"\3dot", 4},
    [TLS_PAIR_H2] = {(const uint8_t *)"\2h2", 3},
};

/* Called only when the client names protocols. */
/* NOLINTNEXTLINE(readability-function-size): OpenSSL says what it takes */
static int on_alpn(SSL *tls, const unsigned char **out, unsigned char *out_size,
                   const unsigned char *in, unsigned in_size, void *ctx)
{
    const struct span *ours = ctx;
    unsigned char *chosen;
    (void)tls;
    if (SSL_select_next_proto(&chosen, out_size, ours->bytes, (unsigned)ours->size, in, in_size) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* What every connection is to keep to. No early data (it could be replayed); no renegotiation; no
 * sessions held here, only tickets, one a connection. */
static bool set_rules(SSL_CTX *context)
{
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                     SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    bool hybrid = SSL_CTX_set1_groups_list(context, "X25519MLKEM768:" GROUPS) == 1;
    ERR_clear_error(); /* an OpenSSL before 3.5 does not know the first */
    return (hybrid || SSL_CTX_set1_groups_list(context, GROUPS) == 1) &&
           SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, CIPHERS) == 1 &&
           SSL_CTX_set_num_tickets(context, 1) == 1 && SSL_CTX_set_max_early_data(context, 0) == 1;
}

/* A ticket is for the service that gave it: this certificate's, and this protocol. It outlives the
 * certificate's renewal. */
static bool set_service(SSL_CTX *context, const char *certificate, const struct span *protocol)
{
    uint8_t id[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool set = digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
               EVP_DigestUpdate(digest, certificate, strlen(certificate)) == 1 &&
               EVP_DigestUpdate(digest, protocol->bytes, protocol->size) == 1 &&
               EVP_DigestFinal_ex(digest, id, &size) == 1 &&
               SSL_CTX_set_session_id_context(context, id, size) == 1;
    EVP_MD_CTX_free(digest);
    SSL_CTX_set_alpn_select_cb(context, on_alpn, (void *)protocol);
    return set;
}

static SSL_CTX *make_context(const struct tls_files *files, const struct parts *parts,
                             const struct span *protocol, struct tls_fault *fault)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL || !set_rules(context) ||
        !set_service(context, files->certificate, protocol)) {
        fail(fault, false, "OpenSSL does not work");
        goto fail;
    }
    if (SSL_CTX_use_certificate(context, parts->certificate) != 1 ||
        SSL_CTX_set1_chain(context, parts->chain) != 1) {
        fail(fault, false, "has a certificate that cannot be used");
        goto fail;
    }
    if (SSL_CTX_use_PrivateKey(context, parts->key) != 1) {
        fail(fault, true, "cannot be used");
        goto fail;
    }
    return context;
fail:
    SSL_CTX_free(context);
    return NULL;
}

static int64_t seconds_of(const ASN1_TIME *time)
{
    struct tm tm;
    return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

/* ---- Pairs ---- */

static void wipe(struct tls_files *files)
{
    if (files->key_bytes.bytes != NULL) {
        explicit_bzero(files->key_bytes.bytes, files->key_bytes.size);
    }
    file_bytes_fini(&files->key_bytes);
    file_bytes_fini(&files->certificate_bytes);
    files->key_bytes = files->certificate_bytes = (struct file_bytes){0};
}

/* Takes over the bytes. */
static struct tls_pair *hold_files(struct tls_files *files)
{
    struct tls_pair *pair = calloc(1, sizeof *pair);
    if (pair == NULL) {
        wipe(files);
        return NULL;
    }
    atomic_init(&pair->references, 1);
    pair->files = *files;
    pair->files.certificate = strdup(files->certificate);
    pair->files.key = strdup(files->key);
    files->key_bytes = files->certificate_bytes = (struct file_bytes){0};
    if (pair->files.certificate == NULL || pair->files.key == NULL) {
        tls_pair_unref(pair);
        return NULL;
    }
    return pair;
}

static bool make_contexts(struct tls_pair *pair, const struct parts *parts,
                          struct tls_tickets *tickets, struct tls_fault *fault)
{
    for (unsigned i = 0; i < TLS_PAIR_PROTOCOLS; i++) {
        pair->contexts[i] = make_context(&pair->files, parts, &PROTOCOLS[i], fault);
        if (pair->contexts[i] == NULL) {
            return false;
        }
        if (tickets != NULL) {
            tls_tickets_use(tickets, pair->contexts[i]);
        }
    }
    return true;
}

struct tls_pair *tls_pair_new(struct tls_files *files, struct tls_tickets *tickets,
                              struct tls_fault *fault)
{
    struct parts parts = {0};
    struct tls_pair *pair = hold_files(files);
    ERR_clear_error();
    if (pair == NULL) {
        fail(fault, false, "out of memory");
        return NULL;
    }
    if (read_parts(&pair->files, &parts, fault) && make_contexts(pair, &parts, tickets, fault)) {
        pair->begins = seconds_of(X509_get0_notBefore(parts.certificate));
        pair->ends = seconds_of(X509_get0_notAfter(parts.certificate));
    } else {
        tls_pair_unref(pair);
        pair = NULL;
    }
    free_parts(&parts);
    return pair;
}

struct tls_pair *tls_pair_ref(struct tls_pair *pair)
{
    atomic_fetch_add(&pair->references, 1);
    return pair;
}

void tls_pair_unref(struct tls_pair *pair)
{
    if (pair == NULL || atomic_fetch_sub(&pair->references, 1) != 1) {
        return;
    }
    for (unsigned i = 0; i < TLS_PAIR_PROTOCOLS; i++) {
        SSL_CTX_free(pair->contexts[i]);
    }
    wipe(&pair->files);
    free((char *)pair->files.certificate);
    free((char *)pair->files.key);
    free(pair);
}

bool tls_pair_is_of(const struct tls_pair *pair, const char *certificate, const char *key)
{
    return strcmp(pair->files.certificate, certificate) == 0 && strcmp(pair->files.key, key) == 0;
}

static bool same_bytes(const struct file_bytes *a, const struct file_bytes *b)
{
    return memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0;
}

bool tls_pair_is_same(const struct tls_pair *pair, const struct tls_files *files)
{
    return same_bytes(&pair->files.certificate_bytes, &files->certificate_bytes) &&
           same_bytes(&pair->files.key_bytes, &files->key_bytes);
}

SSL_CTX *tls_pair_context(const struct tls_pair *pair, enum tls_pair_protocol protocol)
{
    return pair->contexts[protocol];
}

struct span tls_pair_certificate(const struct tls_pair *pair)
{
    const struct file_bytes *file = &pair->files.certificate_bytes;
    return (struct span){(const uint8_t *)file->bytes, file->size};
}

struct span tls_pair_key(const struct tls_pair *pair)
{
    const struct file_bytes *file = &pair->files.key_bytes;
    return (struct span){(const uint8_t *)file->bytes, file->size};
}

int64_t tls_pair_begins(const struct tls_pair *pair)
{
    return pair->begins;
}

int64_t tls_pair_ends(const struct tls_pair *pair)
{
    return pair->ends;
}
