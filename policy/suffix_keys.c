/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The hash of names: labels are chained from the right, so the hash of a name goes on from that of
 * its parent. Each step multiplies sixteen octets, mixed with a key made from the seed, and folds
 * the 128-bit product (as wyhash does). How long a label is cannot be foreseen, so most are read
 * without a branch that depends on it. Not a cryptographic hash: it never leaves the process, and a
 * name that is found is always compared. Owns nothing.
 */
#include "policy/suffix_keys.h"

#include <string.h>

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load64(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static uint64_t load32(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* A suffix of at most eight octets, its root included. */
static uint64_t load_short(const uint8_t *at, size_t size)
{
    if (size >= 4) {
        return load32(at) | load32(at + size - 4) << 32;
    }
    return (uint64_t)at[0] | (uint64_t)at[1] << 8; /* one octet before the root */
}

/* From the hash of a suffix to the hash with one more label in front, where that makes size octets.
 * The label's length octet is hashed with it and says how many octets follow, so no two names make
 * the same words; of a short label those behind it are hashed too, which belong to the suffix. */
static uint64_t hash_label(uint64_t hash, uint64_t key, const uint8_t *label, size_t size)
{
    if (size <= 8) {
        return mix(hash ^ load_short(label, size), key);
    }
    size_t n = 1U + label[0];
    if (n <= 16) {
        return mix(hash ^ load64(label), key ^ load64(label + (n > 8 ? n - 8 : 0)));
    }
    for (; n > 16; n -= 16, label += 16) {
        hash = mix(hash ^ load64(label), key ^ load64(label + 8));
    }
    label += n;
    return mix(hash ^ load64(label - 16), key ^ load64(label - 8));
}

void suffix_keys_init(struct suffix_keys *keys, const struct dname *name, uint64_t seed)
{
    /* The constants are arbitrary: both numbers that hashing starts from hang on the seed. */
    const uint64_t key = mix(seed ^ 0x9e3779b97f4a7c15U, 0xd1342543de82ef95U) | 1U;
    const uint64_t root = mix(seed ^ 0xaf251af3b0f025b5U, key);

    keys->name = name;
    keys->count = name->labels;
    size_t at = 0;
    for (unsigned labels = name->labels; labels > 0; labels--) {
        keys->start[labels] = (uint8_t)at;
        at += 1U + name->wire[at];
    }
    keys->start[0] = (uint8_t)at;
    keys->hash[0] = root;
    for (unsigned labels = 1; labels <= name->labels; labels++) {
        const uint8_t *label = name->wire + keys->start[labels];
        size_t size = (size_t)name->size - keys->start[labels];
        keys->hash[labels] = hash_label(keys->hash[labels - 1], key, label, size);
    }
}
