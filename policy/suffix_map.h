/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Names and what is known of each: a builder takes (name, value) pairs and seals them into an
 * immutable map. A query name is hashed once (policy/suffix_keys.h); any number of maps of that
 * seed is then asked for any of its suffixes. The name itself is stored and compared: a hash alone
 * never decides. A name may be added with several values; all are kept, in ascending order, once.
 *
 * Made for millions of names with few distinct values: such a name costs its wire form and some six
 * octets more, and building needs hardly more memory than the sealed map.
 */
#pragma once

#include "policy/suffix_keys.h"

struct suffix_map;
struct suffix_map_builder;

/* NULL when memory is out. */
struct suffix_map_builder *suffix_map_builder_new(uint64_t seed);
void suffix_map_builder_free(struct suffix_map_builder *builder); /* NULL is allowed */

/* Adds one pair; false when memory is out or the names of the builder would exceed 4 GiB (some 200
 * million names). */
bool suffix_map_builder_add(struct suffix_map_builder *builder, const struct dname *name,
                            uint32_t value);

/* Seals what was added and frees the builder, whatever comes out. NULL when memory is out. */
struct suffix_map *suffix_map_seal(struct suffix_map_builder *builder);

void suffix_map_free(struct suffix_map *map); /* NULL is allowed */

/* How many labels the names of the map have: adds bit n to depths where one has n. */
struct suffix_depths {
    uint64_t bits[2];
};
void suffix_map_add_depths(const struct suffix_map *map, struct suffix_depths *depths);

static inline bool suffix_depths_have(const struct suffix_depths *depths, unsigned labels)
{
    return (depths->bits[labels / 64] >> labels % 64 & 1) != 0;
}

/* Distinct names, and bytes of memory held. */
size_t suffix_map_names(const struct suffix_map *map);
size_t suffix_map_bytes(const struct suffix_map *map);

/* Has every name of the map this value and no other? */
bool suffix_map_all(const struct suffix_map *map, uint32_t value);

/* The values of the suffix with this many labels (0 … keys->count): how many, and in *values the
 * first (borrowed, valid as long as the map). 0 if the map does not hold that suffix. No
 * allocation, no lock, no system call. */
size_t suffix_map_find(const struct suffix_map *map, const struct suffix_keys *keys,
                       unsigned labels, const uint32_t **values);

/* Is the map so large that look-ups wait for memory? */
bool suffix_map_is_large(const struct suffix_map *map);

/* For many names at a time: each step asks memory for what the next one reads, without waiting for
 * it. First for the index at all suffixes of a name; then, at those that the map may hold as far as
 * the index tells, for the names that are stored. Adds bit n to held where that is so of the suffix
 * of n labels; of others suffix_map_find would find nothing. */
void suffix_map_prefetch(const struct suffix_map *map, const struct suffix_keys *keys);
void suffix_map_sift(const struct suffix_map *map, const struct suffix_keys *keys,
                     struct suffix_depths *held);

/* Calls visit with each (name, value), in no particular order, until it returns false. */
typedef bool suffix_map_visit_fn(void *ctx, const struct dname *name, uint32_t value);
void suffix_map_each(const struct suffix_map *map, suffix_map_visit_fn *visit, void *ctx);

/* The same, but only of names that have several values; those of one name come one behind the
 * other. */
void suffix_map_each_several(const struct suffix_map *map, suffix_map_visit_fn *visit, void *ctx);
