/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Asking a sealed map of names (its memory is explained in policy/suffix_map_layout.h, its making
 * is policy/suffix_map_builder.c). Not here: what the values mean. Owns the names, values and
 * index of a map, which never change once it is sealed.
 */
#include "policy/suffix_map.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "policy/suffix_map_layout.h"

/* --- Records --- */

size_t suffix_map_record_labels(const uint8_t *record)
{
    size_t at = 0;
    while (record[at] < CODE_SHORT) {
        at += 1U + record[at];
    }
    return at;
}

void suffix_map_record_name(const uint8_t *record, struct dname *out)
{
    size_t size = 0;
    out->labels = 0;
    while (record[size] < CODE_SHORT) {
        size += 1U + record[size];
        out->labels++;
    }
    memcpy(out->wire, record, size);
    out->wire[size] = 0;
    out->size = (uint8_t)(size + 1);
}

uint32_t suffix_map_code_id(const uint8_t *code)
{
    if (code[0] < CODE_LONG) {
        return code[0] - CODE_SHORT;
    }
    return CODE_SHORT_IDS + (code[0] - CODE_LONG) * 256U + code[1];
}

/* --- Index --- */

struct bucket *suffix_map_home(const struct suffix_map *map, uint64_t hash)
{
    return &map->buckets[(hash >> 32) * map->bucket_count >> 32];
}

struct bucket *suffix_map_after(const struct suffix_map *map, const struct bucket *bucket)
{
    size_t next = (size_t)(bucket - map->buckets) + 1;
    return &map->buckets[next < map->bucket_count ? next : 0];
}

uint8_t suffix_map_tag(uint64_t hash)
{
    uint8_t tag = (uint8_t)hash;
    return tag == 0 ? 1 : tag;
}

uint32_t suffix_map_passed(uint64_t hash)
{
    return (uint32_t)1 << (hash >> 8 & 31); /* bits that neither home nor tag are made of */
}

/* Which slots of a bucket have this tag? The lowest octet with its high bit set tells the first
 * one; those behind it may be wrong, and are only read in vain (the octets of a word are looked at
 * at once). Bits of slot n: 8 n … 8 n + 7, in two words. */
struct slots {
    uint64_t bits[2];
};

static uint64_t equal_octets(uint64_t word, uint8_t octet)
{
    const uint64_t ones = 0x0101010101010101U;
    uint64_t differ = word ^ (ones * octet);
    return (differ - ones) & ~differ & (ones << 7);
}

static struct slots find_tag(const struct bucket *bucket, uint8_t tag)
{
    uint64_t low;
    uint32_t high;
    memcpy(&low, bucket->tag, sizeof low);
    memcpy(&high, bucket->tag + sizeof low, sizeof high);
    return (struct slots){
        {equal_octets(le64toh(low), tag), equal_octets(le32toh(high), tag) & UINT32_MAX}};
}

/* Takes the next slot; false when there is none left. */
static bool take_slot(struct slots *slots, unsigned *slot)
{
    unsigned word = slots->bits[0] != 0 ? 0 : 1;
    uint64_t bits = slots->bits[word];
    if (bits == 0) {
        return false;
    }
    *slot = word * 8U + (unsigned)__builtin_ctzll(bits) / 8U;
    slots->bits[word] = bits & (bits - 1);
    return true;
}

static bool record_is(const struct suffix_map *map, size_t record, const uint8_t *labels,
                      size_t size)
{
    return size < map->records_size - record && memcmp(map->records + record, labels, size) == 0 &&
           map->records[record + size] >= CODE_SHORT;
}

static inline uint8_t *find_record(const struct suffix_map *map, uint64_t hash,
                                   const uint8_t *labels, size_t size)
{
    uint8_t tag = suffix_map_tag(hash);
    const struct bucket *bucket = suffix_map_home(map, hash);
    for (;; bucket = suffix_map_after(map, bucket)) {
        unsigned slot;
        for (struct slots slots = find_tag(bucket, tag); take_slot(&slots, &slot);) {
            if (record_is(map, bucket->record[slot], labels, size)) {
                return map->records + bucket->record[slot];
            }
        }
        if ((bucket->passed & suffix_map_passed(hash)) == 0) {
            return NULL;
        }
    }
}

uint8_t *suffix_map_record(const struct suffix_map *map, uint64_t hash, const uint8_t *labels,
                           size_t size)
{
    return find_record(map, hash, labels, size);
}

/* --- Values --- */

/* The values of a record with CODE_MORE. */
static size_t extra_find(const struct suffix_map *map, size_t record, const uint32_t **values)
{
    size_t low = 0;
    for (size_t high = map->extra_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (map->extra_records[middle] < record) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    size_t end = low;
    while (end < map->extra_count && map->extra_records[end] == record) {
        end++;
    }
    *values = map->extra_values + low;
    return end - low;
}

static size_t record_values(const struct suffix_map *map, const uint8_t *record, size_t labels_size,
                            const uint32_t **values)
{
    const uint8_t *code = record + labels_size;
    if (*code == CODE_MORE) {
        return extra_find(map, (size_t)(record - map->records), values);
    }
    *values = &map->values[suffix_map_code_id(code)];
    return 1;
}

/* --- The map --- */

void suffix_map_free(struct suffix_map *map)
{
    if (map == NULL) {
        return;
    }
    free(map->buckets);
    free(map->records);
    free(map->values);
    free(map->extra_records);
    free(map->extra_values);
    free(map);
}

size_t suffix_map_names(const struct suffix_map *map)
{
    return map->names;
}

size_t suffix_map_bytes(const struct suffix_map *map)
{
    return sizeof *map + map->bucket_count * sizeof *map->buckets + map->records_size +
           map->value_count * sizeof *map->values +
           map->extra_count * (sizeof *map->extra_records + sizeof *map->extra_values);
}

bool suffix_map_is_large(const struct suffix_map *map)
{
    return map->bucket_count >= LARGE_BUCKETS;
}

bool suffix_map_all(const struct suffix_map *map, uint32_t value)
{
    return map->extra_count == 0 &&
           (map->value_count == 0 || (map->value_count == 1 && map->values[0] == value));
}

static bool has_depth(const struct suffix_map *map, unsigned labels)
{
    return (map->depths[labels / 64] >> labels % 64 & 1) != 0;
}

void suffix_map_add_depths(const struct suffix_map *map, struct suffix_depths *depths)
{
    depths->bits[0] |= map->depths[0];
    depths->bits[1] |= map->depths[1];
}

void suffix_map_prefetch(const struct suffix_map *map, const struct suffix_keys *keys)
{
    uint64_t depths = map->depths[0]; /* what no list names, names of 64 labels, may wait */
    for (; depths != 0; depths &= depths - 1) {
        unsigned labels = (unsigned)__builtin_ctzll(depths);
        if (labels > keys->count) {
            return;
        }
        __builtin_prefetch(suffix_map_home(map, keys->hash[labels]));
    }
}

/* May the map hold a name of this hash? Asks memory for what finding it would read. */
static bool may_hold(const struct suffix_map *map, uint64_t hash, size_t size)
{
    const struct bucket *bucket = suffix_map_home(map, hash);
    struct slots slots = find_tag(bucket, suffix_map_tag(hash));
    bool may = (bucket->passed & suffix_map_passed(hash)) != 0;
    if (may) {
        __builtin_prefetch(suffix_map_after(map, bucket));
    }
    for (unsigned slot; take_slot(&slots, &slot); may = true) {
        const uint8_t *record = map->records + bucket->record[slot];
        __builtin_prefetch(record);
        __builtin_prefetch(record + size); /* it may stand on two cache lines */
    }
    return may;
}

void suffix_map_sift(const struct suffix_map *map, const struct suffix_keys *keys,
                     struct suffix_depths *held)
{
    uint64_t depths = map->depths[0];
    held->bits[1] |= map->depths[1]; /* as above */
    for (; depths != 0; depths &= depths - 1) {
        unsigned labels = (unsigned)__builtin_ctzll(depths);
        if (labels > keys->count) {
            return;
        }
        size_t size = (size_t)keys->name->size - keys->start[labels];
        if (may_hold(map, keys->hash[labels], size)) {
            held->bits[0] |= (uint64_t)1 << labels;
        }
    }
}

size_t suffix_map_find(const struct suffix_map *map, const struct suffix_keys *keys,
                       unsigned labels, const uint32_t **values)
{
    /* Hardly any list names the root, a TLD or a very deep name: no memory is read for those. */
    if (!has_depth(map, labels)) {
        return 0;
    }
    size_t start = keys->start[labels];
    size_t size = keys->name->size - start - 1;
    const uint8_t *record = find_record(map, keys->hash[labels], keys->name->wire + start, size);
    return record == NULL ? 0 : record_values(map, record, size, values);
}

/* Visits the values of one record; false if the visitor has seen enough. */
static bool record_each(const struct suffix_map *map, const uint8_t *record,
                        suffix_map_visit_fn *visit, void *ctx)
{
    struct dname name;
    suffix_map_record_name(record, &name);
    const uint32_t *values = NULL;
    size_t count = record_values(map, record, name.size - 1U, &values);
    for (size_t i = 0; i < count; i++) {
        if (!visit(ctx, &name, values[i])) {
            return false;
        }
    }
    return true;
}

void suffix_map_each(const struct suffix_map *map, suffix_map_visit_fn *visit, void *ctx)
{
    for (size_t i = 0; i < map->bucket_count; i++) {
        const struct bucket *bucket = &map->buckets[i];
        for (unsigned slot = 0; slot < BUCKET_SLOTS && bucket->tag[slot] != 0; slot++) {
            if (!record_each(map, map->records + bucket->record[slot], visit, ctx)) {
                return;
            }
        }
    }
}

void suffix_map_each_several(const struct suffix_map *map, suffix_map_visit_fn *visit, void *ctx)
{
    struct dname name;
    for (size_t i = 0; i < map->extra_count; i++) {
        suffix_map_record_name(map->records + map->extra_records[i], &name);
        if (!visit(ctx, &name, map->extra_values[i])) {
            return;
        }
    }
}
