/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Keys of session tickets, and OpenSSL's question for them (see tls_tickets.h): AES-256-CBC and
 * HMAC-SHA-256, as RFC 5077 section 4 recommends them.
 */
#include "forwarder/stream/tls_tickets.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define KEYS (1 + TLS_TICKETS_OLD)
#define NAME_SIZE 16 /* as OpenSSL wants it */
#define SECRET_SIZE 32

struct key {
    uint8_t name[NAME_SIZE];
    uint8_t cipher[SECRET_SIZE];
    uint8_t mac[SECRET_SIZE];
};

struct tls_tickets {
    pthread_mutex_t lock;
    unsigned count;
    struct key keys[KEYS]; /* the newest first */
};

/* What OpenSSL makes of an answer to a decryption. */
enum answer {
    ANSWER_FAILED = -1,
    ANSWER_UNKNOWN = 0, /* a full handshake follows */
    ANSWER_USE = 1,
    ANSWER_RENEW = 2, /* use it, and give the client a new one */
};

struct tls_tickets *tls_tickets_new(void)
{
    struct tls_tickets *tickets = calloc(1, sizeof *tickets);
    if (tickets == NULL) {
        return NULL;
    }
    pthread_mutex_init(&tickets->lock, NULL);
    tls_tickets_rotate(tickets);
    if (tickets->count == 0) {
        tls_tickets_free(tickets);
        return NULL;
    }
    return tickets;
}

void tls_tickets_free(struct tls_tickets *tickets)
{
    if (tickets == NULL) {
        return;
    }
    pthread_mutex_destroy(&tickets->lock);
    explicit_bzero(tickets, sizeof *tickets);
    free(tickets);
}

void tls_tickets_rotate(struct tls_tickets *tickets)
{
    struct key fresh;
    if (RAND_bytes(fresh.name, sizeof fresh.name) != 1 ||
        RAND_priv_bytes(fresh.cipher, sizeof fresh.cipher) != 1 ||
        RAND_priv_bytes(fresh.mac, sizeof fresh.mac) != 1) {
        return;
    }
    pthread_mutex_lock(&tickets->lock);
    memmove(tickets->keys + 1, tickets->keys, sizeof tickets->keys[0] * (KEYS - 1));
    tickets->keys[0] = fresh;
    tickets->count += tickets->count < KEYS;
    pthread_mutex_unlock(&tickets->lock);
    explicit_bzero(&fresh, sizeof fresh);
}

/* The newest key, or the one of this name. Its age in rotations; KEYS: there is none. */
static unsigned find_key(struct tls_tickets *tickets, const uint8_t *name, struct key *out)
{
    unsigned age = 0;
    pthread_mutex_lock(&tickets->lock);
    while (name != NULL && age < tickets->count &&
           memcmp(tickets->keys[age].name, name, NAME_SIZE) != 0) {
        age++;
    }
    bool found = age < tickets->count;
    if (found) {
        *out = tickets->keys[age];
    }
    pthread_mutex_unlock(&tickets->lock);
    return found ? age : KEYS;
}

static bool set_mac(EVP_MAC_CTX *mac, struct key *key)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof key->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

static enum answer encrypt(struct tls_tickets *tickets, uint8_t *name, uint8_t *iv,
                           EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct key key;
    find_key(tickets, NULL, &key);
    memcpy(name, key.name, NAME_SIZE);
    bool ready = RAND_bytes(iv, EVP_MAX_IV_LENGTH) == 1 &&
                 EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv) == 1 &&
                 set_mac(mac, &key);
    explicit_bzero(&key, sizeof key);
    return ready ? ANSWER_USE : ANSWER_FAILED;
}

static enum answer decrypt(struct tls_tickets *tickets, const uint8_t *name, const uint8_t *iv,
                           EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct key key;
    unsigned age = find_key(tickets, name, &key);
    if (age == KEYS) {
        return ANSWER_UNKNOWN;
    }
    bool ready = EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv) == 1 &&
                 set_mac(mac, &key);
    explicit_bzero(&key, sizeof key);
    return !ready ? ANSWER_FAILED : age == 0 ? ANSWER_USE : ANSWER_RENEW;
}

/* NOLINTNEXTLINE(readability-function-size): OpenSSL says what it takes */
static int on_ticket(SSL *tls, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int encrypts)
{
    struct tls_tickets *tickets = SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls));
    return encrypts ? encrypt(tickets, name, iv, cipher, mac)
                    : decrypt(tickets, name, iv, cipher, mac);
}

void tls_tickets_use(struct tls_tickets *tickets, SSL_CTX *context)
{
    SSL_CTX_set_app_data(context, tickets);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
}
