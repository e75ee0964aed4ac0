/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a sealed suffix map looks like in memory; for suffix_map.c, which asks it, and
 * suffix_map_builder.c, which makes it. Nobody else includes this.
 *
 * A record is a name's wire form in which the octet of the root label, always 0, is replaced by
 * the code of its value: octets of 64 and above. No label is that long, so a record says where it
 * ends, and none is the beginning of another. All records stand in one block. The index over them
 * is an array of buckets of one cache line: a few bits of each name's hash, and where its record
 * is. So a name that is not there costs one cache miss, mostly, and one that is there costs two.
 *
 * Most maps hold a handful of distinct values. A code is the number of a value in a table, in one
 * octet or two. A name with several values, or with one too many for the table, has CODE_MORE: its
 * values stand in a sorted array and are searched by the place of the record.
 */
#pragma once

#include "policy/suffix_map.h"

#define CODE_SHORT 64U /* 64 … 191: value numbers from 0 */
#define CODE_LONG 192U /* 192 … 254 and one more octet: value numbers from CODE_SHORT_IDS */
#define CODE_MORE 255U
#define CODE_SHORT_IDS (CODE_LONG - CODE_SHORT)
#define CODE_IDS (CODE_SHORT_IDS + (CODE_MORE - CODE_LONG) * 256U)

#define BUCKET_SLOTS 12U
#define BUCKET_FILL 10U /* names a bucket on average; fewer than slots, so some bucket has room */

/* A map with so many, of some 40,000 names in a megabyte, does not stay in the caches that a core
 * has to itself. */
#define LARGE_BUCKETS 4096U

/* One cache line. Slots fill from the left. */
struct bucket {
    uint8_t tag[BUCKET_SLOTS];     /* of the name's hash; 0: the slot is empty */
    uint32_t record[BUCKET_SLOTS]; /* offset in the records */
    uint32_t passed;               /* of the hash of each name that found it full and went on to
                                    * the next bucket, a bit: who has none need not look there */
};
_Static_assert(sizeof(struct bucket) == 64, "a bucket is one cache line");

struct suffix_map {
    size_t names;
    uint64_t depths[2]; /* bit n: some name has n labels */
    struct bucket *buckets;
    size_t bucket_count; /* at least 1 */
    uint8_t *records;
    size_t records_size;
    uint32_t *values; /* by number */
    size_t value_count;
    uint32_t *extra_records; /* for CODE_MORE, ascending; the value stands beside */
    uint32_t *extra_values;  /* ascending within a record */
    size_t extra_count;
};

/* The octets of a record that are labels; its code stands behind them. */
size_t suffix_map_record_labels(const uint8_t *record);

/* The name of a record. */
void suffix_map_record_name(const uint8_t *record, struct dname *out);

/* The value number of a code other than CODE_MORE. */
uint32_t suffix_map_code_id(const uint8_t *code);

/* The record of a name, given as the labels of its wire form and their size, or NULL. */
uint8_t *suffix_map_record(const struct suffix_map *map, uint64_t hash, const uint8_t *labels,
                           size_t size);

/* The bucket where a hash is at home, the one to go on to, the hash's tag, and its bit of passed.
 */
struct bucket *suffix_map_home(const struct suffix_map *map, uint64_t hash);
struct bucket *suffix_map_after(const struct suffix_map *map, const struct bucket *bucket);
uint8_t suffix_map_tag(uint64_t hash);
uint32_t suffix_map_passed(uint64_t hash);
