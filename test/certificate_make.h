/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Keys and self-signed certificates for tests, as PEM text. Each test binary includes it once.
 */
#pragma once

#include <check.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define CERTIFICATE_TEXT_MAX 4096
#define CERTIFICATE_NAME "dns.example"

struct certificate_text {
    char certificate[CERTIFICATE_TEXT_MAX];
    char key[CERTIFICATE_TEXT_MAX];
};

/* Reads what was written to memory, and frees it. */
static inline void certificate_take(BIO *bio, char out[static CERTIFICATE_TEXT_MAX])
{
    int size = BIO_read(bio, out, CERTIFICATE_TEXT_MAX - 1);
    ck_assert_int_gt(size, 0);
    out[size] = '\0';
    BIO_free(bio);
}

static inline void certificate_write_key(EVP_PKEY *key, char out[static CERTIFICATE_TEXT_MAX])
{
    BIO *bio = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    certificate_take(bio, out);
}

/* Of this key, valid between two instants in seconds since the epoch. */
static inline void certificate_write(EVP_PKEY *key, int64_t begins, int64_t ends,
                                     char out[static CERTIFICATE_TEXT_MAX])
{
    X509 *certificate = X509_new();
    BIO *bio = BIO_new(BIO_s_mem());
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_EXTENSION *names =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:" CERTIFICATE_NAME);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    ASN1_TIME_set(X509_getm_notBefore(certificate), begins);
    ASN1_TIME_set(X509_getm_notAfter(certificate), ends);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)CERTIFICATE_NAME, -1, -1,
                               0);
    X509_set_issuer_name(certificate, name);
    X509_add_ext(certificate, names, -1);
    X509_set_pubkey(certificate, key);
    ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
    ck_assert_int_eq(PEM_write_bio_X509(bio, certificate), 1);
    X509_EXTENSION_free(names);
    X509_free(certificate);
    certificate_take(bio, out);
}

/* A new pair each time. */
static inline void certificate_make(int64_t begins, int64_t ends, struct certificate_text *out)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    ck_assert_ptr_nonnull(key);
    certificate_write_key(key, out->key);
    certificate_write(key, begins, ends, out->certificate);
    EVP_PKEY_free(key);
}
