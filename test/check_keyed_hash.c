/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The keyed hash, against another's SipHash-1-3.
 */
#include "forwarder/keyed_hash.h"

#include <check.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <string.h>

#include "test/suite.h"

#define ROUNDS 200

/* What OpenSSL makes of the same octets. */
static uint64_t openssl_hash(const struct keyed_hash_key *key, const uint64_t words[static 2])
{
    unsigned c_rounds = 1, d_rounds = 3;
    size_t size = sizeof(uint64_t);
    uint64_t out = 0;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_C_ROUNDS, &c_rounds),
        OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_D_ROUNDS, &d_rounds),
        OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
    ck_assert_ptr_nonnull(mac);
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
    ck_assert_ptr_nonnull(ctx);
    ck_assert_int_eq(EVP_MAC_init(ctx, (const unsigned char *)key, sizeof *key, params), 1);
    ck_assert_int_eq(EVP_MAC_update(ctx, (const unsigned char *)words, 2 * sizeof *words), 1);
    ck_assert_int_eq(EVP_MAC_final(ctx, (unsigned char *)&out, &size, sizeof out), 1);
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);
    return out;
}

START_TEST(it_is_siphash_1_3)
{
    uint64_t words[4] = {0};
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct keyed_hash_key key = {{words[2], words[3]}};
        uint64_t hash = keyed_hash(&key, words[0], words[1]);
        ck_assert_uint_eq(hash, openssl_hash(&key, words));
        words[round % 4] ^= hash; /* the next ones look like nothing */
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keyed_hash");
    TCase *tcase = tcase_create("keyed_hash");
    tcase_add_test(tcase, it_is_siphash_1_3);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
