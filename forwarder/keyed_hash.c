/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SipHash-1-3 (see keyed_hash.h): one round a word and three at the end are what hash tables take;
 * nothing here authenticates anything.
 */
#include "forwarder/keyed_hash.h"

#define WORDS 3
#define FINAL_ROUNDS 3
#define LAST_WORD ((uint64_t)16 << 56) /* how many octets were hashed, and none left over */

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void turn(uint64_t v[static 4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

uint64_t keyed_hash(const struct keyed_hash_key *key, uint64_t first, uint64_t second)
{
    /* A round at the end is one that takes in nothing. */
    const uint64_t words[WORDS + FINAL_ROUNDS] = {first, second, LAST_WORD};
    uint64_t v[4] = {key->half[0] ^ 0x736f6d6570736575U, key->half[1] ^ 0x646f72616e646f6dU,
                     key->half[0] ^ 0x6c7967656e657261U, key->half[1] ^ 0x7465646279746573U};
    for (int round = 0; round < WORDS + FINAL_ROUNDS; round++) {
        v[2] ^= round == WORDS ? 0xff : 0;
        v[3] ^= words[round];
        turn(v);
        v[0] ^= words[round];
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
