/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Certificates and keys: which two make a pair, what is said of those that do not, and what a
 * client gets from one.
 */
#include "forwarder/stream/tls_pair.h"

#include <openssl/rsa.h>

#include "test/tls_exchange.h"
#include "test/suite.h"

#define BEGINS 1700000000
#define ENDS 1900000000
#define END_LINE sizeof "-----END CERTIFICATE-----\n"
#define TEXT_MAX (4 * CERTIFICATE_TEXT_MAX)

static struct certificate_text ours, other;
static struct tls_fault fault;

static void set_up(void)
{
    certificate_make(BEGINS, ENDS, &ours);
    certificate_make(BEGINS, ENDS, &other);
    fault = (struct tls_fault){0};
}

static void expect_fault(const char *certificate, const char *key, bool in_key, const char *why)
{
    ck_assert_ptr_null(tls_pair_of(certificate, key, NULL, &fault));
    ck_assert_int_eq(fault.in_key, in_key);
    ck_assert_msg(strstr(fault.why, why) != NULL, "\"%s\" is not in \"%s\"", why, fault.why);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}

/* ---- Two files ---- */

START_TEST(a_pair_is_what_its_files_say)
{
    struct tls_pair *pair = tls_pair_of(ours.certificate, ours.key, NULL, &fault);
    ck_assert_msg(pair != NULL, "%s", fault.why);
    ck_assert_int_eq(tls_pair_begins(pair), BEGINS);
    ck_assert_int_eq(tls_pair_ends(pair), ENDS);
    ck_assert(tls_pair_is_of(pair, "cert.pem", "key.pem"));
    ck_assert(!tls_pair_is_of(pair, "cert.pem", "other.pem"));
    ck_assert(!tls_pair_is_of(pair, "other.pem", "key.pem"));
    ck_assert_str_eq((const char *)tls_pair_certificate(pair).bytes, ours.certificate);
    ck_assert_uint_eq(tls_pair_key(pair).size, strlen(ours.key));
    ck_assert_ptr_ne(tls_pair_context(pair, TLS_PAIR_DOT), tls_pair_context(pair, TLS_PAIR_H2));
    ck_assert_ptr_eq(tls_pair_ref(pair), pair);
    tls_pair_unref(pair);
    tls_pair_unref(pair);
    tls_pair_unref(NULL);
}
END_TEST

START_TEST(the_same_bytes_are_the_same_pair)
{
    struct tls_files files = {0};
    struct tls_pair *pair = tls_pair_of(ours.certificate, ours.key, NULL, &fault);
    ck_assert(
        file_bytes_copy(ours.certificate, strlen(ours.certificate), &files.certificate_bytes));
    ck_assert(file_bytes_copy(ours.key, strlen(ours.key), &files.key_bytes));
    ck_assert(tls_pair_is_same(pair, &files));
    file_bytes_fini(&files.key_bytes);
    ck_assert(file_bytes_copy(other.key, strlen(other.key), &files.key_bytes));
    ck_assert(!tls_pair_is_same(pair, &files));
    file_bytes_fini(&files.key_bytes);
    file_bytes_fini(&files.certificate_bytes);
    tls_pair_unref(pair);
}
END_TEST

START_TEST(a_key_of_another_certificate_is_none)
{
    expect_fault(ours.certificate, other.key, true,
                 "is not the key of the certificate in cert.pem");
}
END_TEST

START_TEST(text_around_and_a_chain_behind_are_fine)
{
    char text[TEXT_MAX];
    snprintf(text, sizeof text, "subject=CN = dns.example\n%s\n# its issuer\n%s", ours.certificate,
             other.certificate);
    struct tls_pair *pair = tls_pair_of(text, ours.key, NULL, &fault);
    ck_assert_msg(pair != NULL, "%s", fault.why);
    STACK_OF(X509) * chain;
    SSL_CTX_get0_chain_certs(tls_pair_context(pair, TLS_PAIR_DOT), &chain);
    ck_assert_int_eq(sk_X509_num(chain), 1);
    tls_pair_unref(pair);
}
END_TEST

START_TEST(one_file_may_hold_both)
{
    char text[TEXT_MAX];
    snprintf(text, sizeof text, "%s%s", ours.key, ours.certificate);
    struct tls_pair *pair = tls_pair_of(text, text, NULL, &fault);
    ck_assert_msg(pair != NULL, "%s", fault.why);
    tls_pair_unref(pair);
}
END_TEST

START_TEST(what_is_no_certificate)
{
    char cut[TEXT_MAX];
    expect_fault("", ours.key, false, "has no certificate");
    expect_fault("certificate\n", ours.key, false, "has no certificate");
    expect_fault(ours.key, ours.key, false, "has no certificate");
    for (size_t size = 1; size < strlen(ours.certificate) - END_LINE; size += 17) {
        snprintf(cut, sizeof cut, "%.*s", (int)size, ours.certificate);
        expect_fault(cut, ours.key, false, "certificate");
        snprintf(cut, sizeof cut, "%s%.*s", ours.certificate, (int)size, other.certificate);
        struct tls_pair *pair = tls_pair_of(cut, ours.key, NULL, &fault);
        ck_assert(pair == NULL || size < strlen("-----BEGIN CERTIFICATE-----\n"));
        tls_pair_unref(pair);
    }
}
END_TEST

START_TEST(what_is_no_key)
{
    char cut[TEXT_MAX];
    expect_fault(ours.certificate, "", true, "has no private key");
    expect_fault(ours.certificate, ours.certificate, true, "has no private key");
    for (size_t size = 1; size < strlen(ours.key) - END_LINE; size += 17) {
        snprintf(cut, sizeof cut, "%.*s", (int)size, ours.key);
        expect_fault(ours.certificate, cut, true, "has no private key");
    }
}
END_TEST

START_TEST(nobody_is_asked_for_a_passphrase)
{
    char text[CERTIFICATE_TEXT_MAX];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    ck_assert_int_eq(
        PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL), 1);
    certificate_take(bio, text);
    EVP_PKEY_free(key);
    expect_fault(ours.certificate, text, true, "without a passphrase");
}
END_TEST

START_TEST(a_weak_key_is_refused)
{
    EVP_PKEY *key = EVP_RSA_gen(512);
    ck_assert_ptr_nonnull(key);
    certificate_write_key(key, ours.key);
    certificate_write(key, BEGINS, ENDS, ours.certificate);
    EVP_PKEY_free(key);
    expect_fault(ours.certificate, ours.key, false, "key too small");
}
END_TEST

/* ---- What clients get ---- */

static const struct {
    const char *label;
    enum tls_pair_protocol protocol;
    int version;
    const char *alpn;
    const char *chosen; /* NULL: no connection */
} CLIENTS[] = {
    {"TLS 1.3", TLS_PAIR_DOT, TLS1_3_VERSION, "\3dot", "dot"},
    {"TLS 1.2", TLS_PAIR_DOT, TLS1_2_VERSION, "\3dot", "dot"},
    {"TLS 1.1", TLS_PAIR_DOT, TLS1_1_VERSION, "\3dot", NULL},
    {"without ALPN", TLS_PAIR_DOT, 0, NULL, ""},
    {"one of several", TLS_PAIR_DOT, 0, "\2h2\3dot", "dot"},
    {"none of ours", TLS_PAIR_DOT, 0, "\2h2\10http/1.1", NULL},
    {"for HTTP", TLS_PAIR_H2, 0, "\2h2\10http/1.1", "h2"},
    {"not for HTTP", TLS_PAIR_H2, 0, "\3dot", NULL},
    {"an older HTTP", TLS_PAIR_H2, 0, "\10http/1.1", NULL},
};

START_TEST(clients_are_served)
{
    struct tls_exchange exchange = {.version = CLIENTS[_i].version, .alpn = CLIENTS[_i].alpn};
    struct tls_pair *pair = tls_pair_of(ours.certificate, ours.key, NULL, &fault);
    tls_exchange_run(tls_pair_context(pair, CLIENTS[_i].protocol), &exchange);
    ck_assert_msg(exchange.done == (CLIENTS[_i].chosen != NULL), "%s", CLIENTS[_i].label);
    if (exchange.done) {
        ck_assert_msg(strcmp(exchange.chosen, CLIENTS[_i].chosen) == 0, "%s: %s", CLIENTS[_i].label,
                      exchange.chosen);
    }
    SSL_SESSION_free(exchange.session);
    tls_pair_unref(pair);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tls_pair");
    TCase *tcase = tcase_create("tls_pair");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, a_pair_is_what_its_files_say);
    tcase_add_test(tcase, the_same_bytes_are_the_same_pair);
    tcase_add_test(tcase, a_key_of_another_certificate_is_none);
    tcase_add_test(tcase, text_around_and_a_chain_behind_are_fine);
    tcase_add_test(tcase, one_file_may_hold_both);
    tcase_add_test(tcase, what_is_no_certificate);
    tcase_add_test(tcase, what_is_no_key);
    tcase_add_test(tcase, nobody_is_asked_for_a_passphrase);
    tcase_add_test(tcase, a_weak_key_is_refused);
    tcase_add_loop_test(tcase, clients_are_served, 0, ROWS(CLIENTS));
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
