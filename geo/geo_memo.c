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
    struct place place;
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

/* The index of the set of an address: by its first 48 bits, and for IPv4 by the first 24 of its
 * own. */
static size_t set_of(const struct geo_memo *memo, const struct address *address)
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
    return (key * UINT64_C(11400714819323198485) >> 32) & memo->mask;
}

void geo_memo_prefetch(const struct geo_memo *memo, const struct address *address)
{
    const struct set *set = &memo->sets[set_of(memo, address)];
    __builtin_prefetch(set);
    __builtin_prefetch((const char *)set + sizeof *set - 1);
}

/* What was found, now or before, of the network that holds the address; NULL if the lookup erred.
 * Lives until the next call. */
static inline const struct way *find_way(struct geo_memo *memo, const struct address *address)
{
    struct set *set = &memo->sets[set_of(memo, address)];
    for (unsigned i = 0; i < WAYS; i++) {
        const struct way *way = &set->ways[i];
        if (address_common_bits(&way->base, address) >= way->length) {
            return way;
        }
    }
    if (memo->db == NULL) {
        return NULL;
    }
    struct location location;
    locate(memo->db, memo->overrides, address, &location);
    if (location.source == LOCATE_FAILED) {
        return NULL;
    }
    struct way *way = &set->ways[set->victim];
    *way = (struct way){
        location.alike.base, location.alike.length, {location.country, location.within}};
    set->victim = (uint8_t)((set->victim + 1U) % WAYS);
    return way;
}

bool geo_memo_find(struct geo_memo *memo, const struct address *address, struct place *out)
{
    const struct way *way = find_way(memo, address);
    *out = way == NULL ? PLACE_UNKNOWN : way->place;
    return way != NULL;
}

/* The address behind the last one of a network; false behind the last of all. */
static bool step_over(const struct network *network, struct address *out)
{
    *out = network_last(network);
    for (size_t i = sizeof out->octet; i-- > 0;) {
        if (++out->octet[i] != 0) {
            return true;
        }
    }
    return false;
}

bool geo_memo_find_network(struct geo_memo *memo, const struct address *address, unsigned spread,
                           struct place *out)
{
    const struct network network = network_around(address, 8 * sizeof address->octet - spread);
    struct address at = network.base;
    for (unsigned part = 0; part < GEO_MEMO_PARTS_MAX; part++) {
        const struct way *way = find_way(memo, &at);
        if (way == NULL) {
            *out = PLACE_UNKNOWN;
            return false;
        }
        if (part == 0) {
            *out = way->place;
        } else if (!country_equal(out->country, way->place.country)) {
            break;
        } else {
            out->within = subdivisions_common(&out->within, &way->place.within);
        }
        struct network alike = {way->base, way->length};
        if (way->length <= network.length || !step_over(&alike, &at) ||
            address_common_bits(&at, &network.base) < network.length) {
            return true;
        }
    }
    *out = PLACE_UNKNOWN;
    return true;
}
