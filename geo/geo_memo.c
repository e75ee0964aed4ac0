/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A set-associative cache: an address's /24 (IPv4) or /48 (IPv6) picks a set, and the ways of a
 * set are compared one by one. What a way holds is the network that locate() called alike, wider or
 * narrower than that /24, so a hit is always an address that was answered, not its neighbour.
 * Invariant: a way is free (length UNUSED) or holds what locate() says of each address in it.
 */
#include "geo/geo_memo.h"

#include <stdint.h>
#include <stdlib.h>

#define WAYS 4U
#define UNUSED 129U /* longer than any two addresses have in common */

struct way {
    struct address base;
    uint8_t length;
    struct country country;
};

struct set {
    struct way ways[WAYS];
    uint8_t victim; /* the way that the next miss replaces */
};

struct geo_memo {
    const struct geo_db *db;
    const struct overrides *overrides;
    size_t mask; /* number of sets, a power of two, minus one */
    struct set sets[];
};

struct geo_memo *geo_memo_new(size_t entries)
{
    size_t sets = 1;
    while (sets * WAYS < entries) {
        if (sets > SIZE_MAX / (4 * sizeof(struct set))) {
            return NULL;
        }
        sets *= 2;
    }
    struct geo_memo *memo = malloc(sizeof *memo + sets * sizeof memo->sets[0]);
    if (memo == NULL) {
        return NULL;
    }
    memo->mask = sets - 1;
    geo_memo_reset(memo, NULL, NULL);
    return memo;
}

void geo_memo_free(struct geo_memo *memo)
{
    free(memo);
}

void geo_memo_reset(struct geo_memo *memo, const struct geo_db *db,
                    const struct overrides *overrides)
{
    memo->db = db;
    memo->overrides = overrides;
    for (size_t i = 0; i <= memo->mask; i++) {
        memo->sets[i] = (struct set){.victim = 0};
        for (unsigned way = 0; way < WAYS; way++) {
            memo->sets[i].ways[way].length = UNUSED;
        }
    }
}

/* The set of an address: by its first 48 bits, and for IPv4 by the first 24 of its own. */
static struct set *set_of(struct geo_memo *memo, const struct address *address)
{
    uint64_t key;
    memcpy(&key, address->octet, sizeof key);
    key = be64toh(key) >> 16;
    if (key == 0) {
        uint64_t ipv4;
        memcpy(&ipv4, address->octet + 8, sizeof ipv4);
        key = be64toh(ipv4) >> 8;
    }
    /* Fibonacci hashing: the product's upper half depends on every bit of the key. */
    return &memo->sets[(key * UINT64_C(11400714819323198485) >> 32) & memo->mask];
}

bool geo_memo_find(struct geo_memo *memo, const struct address *address, struct country *out)
{
    struct set *set = set_of(memo, address);
    for (unsigned i = 0; i < WAYS; i++) {
        const struct way *way = &set->ways[i];
        if (address_common_bits(&way->base, address) >= way->length) {
            *out = way->country;
            return true;
        }
    }
    *out = COUNTRY_UNKNOWN;
    if (memo->db == NULL) {
        return false;
    }
    struct location location;
    locate(memo->db, memo->overrides, address, &location);
    if (location.source == LOCATE_FAILED) {
        return false;
    }
    *out = location.country;
    set->ways[set->victim] =
        (struct way){location.alike.base, location.alike.length, location.country};
    set->victim = (uint8_t)((set->victim + 1U) % WAYS);
    return true;
}
