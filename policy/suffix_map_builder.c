/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Making a suffix map (policy/suffix_map_layout.h explains its memory). Names that are added are
 * written as records at once; sealing moves them into the map, giving back what it has read, so the
 * most that is ever held is hardly more than the sealed map. Not here: asking. Owns a builder and
 * what it collected until it is sealed.
 *
 * A record of a builder differs from a sealed one in this: behind CODE_MORE stand four octets of
 * value, and a name stands there as often as it was added.
 */
#include "policy/suffix_map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "policy/suffix_map_layout.h"

#define RECORDS_MAX UINT32_MAX /* octets; a bucket has 32 bits for the place of a record */
#define CODE_OCTETS_MAX 5U
#define READ_AHEAD 16U /* records */

#define LARGE_PAGE (2U * 1024U * 1024U) /* of most machines; elsewhere the advice does no harm */

/* A distinct value and its number. */
struct numbered {
    uint32_t value;
    uint32_t id;
};

struct suffix_map_builder {
    uint64_t seed;
    uint8_t *records;
    size_t size; /* octets of records */
    size_t capacity;
    size_t count;            /* records */
    struct numbered *values; /* ascending by value */
    size_t value_count;      /* at most CODE_IDS */
    size_t value_last;       /* where the value that was added last stands */
};

struct suffix_map_builder *suffix_map_builder_new(uint64_t seed)
{
    struct suffix_map_builder *builder = calloc(1, sizeof *builder);
    if (builder != NULL) {
        builder->seed = seed;
    }
    return builder;
}

void suffix_map_builder_free(struct suffix_map_builder *builder)
{
    if (builder != NULL) {
        free(builder->records);
        free(builder->values);
        free(builder);
    }
}

/* --- Adding --- */

/* Makes room for a record of this size; grows by a quarter, since lists may be very large. */
static bool reserve_record(struct suffix_map_builder *builder, size_t size)
{
    if (builder->capacity - builder->size >= size) {
        return true;
    }
    size_t capacity = builder->capacity + builder->capacity / 4 + 512;
    uint8_t *records = realloc(builder->records, capacity);
    if (records == NULL) {
        return false;
    }
    builder->records = records;
    builder->capacity = capacity;
    return true;
}

/* Where a value stands, or should stand, among those seen so far. */
static size_t value_place(const struct suffix_map_builder *builder, uint32_t value)
{
    size_t low = 0;
    for (size_t high = builder->value_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (builder->values[middle].value < value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool value_is_at(const struct suffix_map_builder *builder, uint32_t value, size_t place)
{
    return place < builder->value_count && builder->values[place].value == value;
}

/* Gives a new value the next number, at its place. */
static bool value_insert(struct suffix_map_builder *builder, uint32_t value, size_t place)
{
    const size_t step = 64;
    size_t count = builder->value_count;
    if (count % step == 0) {
        struct numbered *values = realloc(builder->values, (count + step) * sizeof *values);
        if (values == NULL) {
            return false;
        }
        builder->values = values;
    }
    struct numbered *at = builder->values + place;
    memmove(at + 1, at, (count - place) * sizeof *at);
    *at = (struct numbered){.value = value, .id = (uint32_t)count};
    builder->value_count++;
    return true;
}

/* The number of a value; CODE_IDS if it is new and the table full. False when memory is out. */
static bool value_number(struct suffix_map_builder *builder, uint32_t value, uint32_t *id)
{
    /* Lists add the same value a million times over. */
    size_t place = builder->value_last;
    if (!value_is_at(builder, value, place)) {
        place = value_place(builder, value);
    }
    if (!value_is_at(builder, value, place)) {
        if (builder->value_count == CODE_IDS) {
            *id = CODE_IDS;
            return true;
        }
        if (!value_insert(builder, value, place)) {
            return false;
        }
    }
    builder->value_last = place;
    *id = builder->values[place].id;
    return true;
}

/* Writes the code of a value; returns its octets. */
static size_t write_code(uint8_t *at, uint32_t id, uint32_t value)
{
    if (id < CODE_SHORT_IDS) {
        at[0] = (uint8_t)(CODE_SHORT + id);
        return 1;
    }
    if (id < CODE_IDS) {
        at[0] = (uint8_t)(CODE_LONG + (id - CODE_SHORT_IDS) / 256);
        at[1] = (uint8_t)((id - CODE_SHORT_IDS) % 256);
        return 2;
    }
    at[0] = CODE_MORE;
    memcpy(at + 1, &value, sizeof value);
    return 1 + sizeof value;
}

bool suffix_map_builder_add(struct suffix_map_builder *builder, const struct dname *name,
                            uint32_t value)
{
    size_t labels_size = name->size - 1U;
    size_t most = labels_size + CODE_OCTETS_MAX;
    uint32_t id = 0;
    if (RECORDS_MAX - builder->size < most || !reserve_record(builder, most) ||
        !value_number(builder, value, &id)) {
        return false;
    }
    uint8_t *at = builder->records + builder->size;
    memcpy(at, name->wire, labels_size);
    builder->size += labels_size + write_code(at + labels_size, id, value);
    builder->count++;
    return true;
}

/* --- Sealing --- */

/* A value of a name that has CODE_MORE. */
struct extra {
    uint32_t record;
    uint32_t value;
};

/* A map in the making. Each record of the builder is read once. */
struct sealing {
    struct suffix_map *map;
    uint64_t seed;
    uint8_t *given_back; /* the builder's records before this are no longer held */
    struct extra *extras;
    size_t extra_count;
    size_t extra_capacity;
};

/* A record of the builder, read. */
struct entry {
    const uint8_t *record;
    size_t labels_size; /* its octets that are labels */
    size_t kept;        /* its octets that the map keeps: labels and code */
    uint32_t value;
    bool more; /* it has CODE_MORE */
    uint8_t labels;
    uint64_t hash;
};

/* Reads the builder's record at this place; returns the place behind it. */
static const uint8_t *entry_read(struct entry *entry, const struct sealing *sealing,
                                 const uint8_t *record)
{
    struct dname name;
    struct suffix_keys keys;
    suffix_map_record_name(record, &name);
    suffix_keys_init(&keys, &name, sealing->seed);

    const uint8_t *code = record + name.size - 1;
    bool is_long = *code >= CODE_LONG && *code < CODE_MORE;
    *entry = (struct entry){
        .record = record,
        .labels_size = name.size - 1U,
        .kept = name.size + (is_long ? 1U : 0U),
        .more = *code == CODE_MORE,
        .labels = name.labels,
        .hash = keys.hash[name.labels],
    };
    if (!entry->more) {
        entry->value = sealing->map->values[suffix_map_code_id(code)];
        return record + entry->kept;
    }
    memcpy(&entry->value, code + 1, sizeof entry->value);
    return record + entry->kept + sizeof entry->value;
}

static bool add_extra(struct sealing *sealing, uint32_t record, uint32_t value)
{
    if (sealing->extra_count == sealing->extra_capacity) {
        size_t capacity = sealing->extra_capacity * 2 + 16;
        struct extra *extras = realloc(sealing->extras, capacity * sizeof *extras);
        if (extras == NULL) {
            return false;
        }
        sealing->extras = extras;
        sealing->extra_capacity = capacity;
    }
    sealing->extras[sealing->extra_count++] = (struct extra){.record = record, .value = value};
    return true;
}

/* Adds a value to the record of a name that came before. */
static bool join_value(struct sealing *sealing, uint8_t *record, uint32_t value)
{
    const struct suffix_map *map = sealing->map;
    uint8_t *code = record + suffix_map_record_labels(record);
    uint32_t offset = (uint32_t)(record - map->records);
    if (*code != CODE_MORE) {
        uint32_t first = map->values[suffix_map_code_id(code)];
        if (first == value) {
            return true;
        }
        *code = CODE_MORE;
        if (!add_extra(sealing, offset, first)) {
            return false;
        }
    }
    return add_extra(sealing, offset, value);
}

/* Adds a name that is not in the index yet. */
static void index_record(struct suffix_map *map, uint64_t hash, uint32_t record)
{
    struct bucket *bucket = suffix_map_home(map, hash);
    for (; bucket->tag[BUCKET_SLOTS - 1] != 0; bucket = suffix_map_after(map, bucket)) {
        bucket->passed |= suffix_map_passed(hash);
    }
    unsigned slot = 0;
    while (bucket->tag[slot] != 0) {
        slot++;
    }
    bucket->tag[slot] = suffix_map_tag(hash);
    bucket->record[slot] = record;
}

/* Takes an entry into the map. */
static bool entry_take(const struct entry *entry, struct sealing *sealing)
{
    struct suffix_map *map = sealing->map;
    uint8_t *before = suffix_map_record(map, entry->hash, entry->record, entry->labels_size);
    if (before != NULL) {
        return join_value(sealing, before, entry->value);
    }
    uint32_t offset = (uint32_t)map->records_size;
    memcpy(map->records + offset, entry->record, entry->kept);
    map->records_size += entry->kept;
    map->names++;
    map->depths[entry->labels / 64] |= (uint64_t)1 << entry->labels % 64;
    index_record(map, entry->hash, offset);
    return !entry->more || add_extra(sealing, offset, entry->value);
}

/* Advises the kernel about the large pages that lie wholly within some memory. */
static void advise(void *memory, size_t size, int advice)
{
    uintptr_t begin = ((uintptr_t)memory + LARGE_PAGE - 1) & ~(uintptr_t)(LARGE_PAGE - 1);
    uintptr_t end = ((uintptr_t)memory + size) & ~(uintptr_t)(LARGE_PAGE - 1);
    if (begin < end) {
        madvise((char *)memory + (begin - (uintptr_t)memory), end - begin, advice);
    }
}

/* Gives the large pages back that lie before this record of the builder. */
static void give_back(struct sealing *sealing, const uint8_t *record)
{
    size_t size = (size_t)(record - sealing->given_back);
    if (size >= 2 * LARGE_PAGE) { /* so that one lies wholly within */
        advise(sealing->given_back, size, MADV_DONTNEED);
        sealing->given_back += size - LARGE_PAGE;
    }
}

/* Takes all records, reading some ahead so that their buckets are on the way from memory. */
static bool take_records(struct sealing *sealing, const struct suffix_map_builder *builder)
{
    struct entry ahead[READ_AHEAD];
    const uint8_t *at = builder->records;
    size_t read = 0;
    for (size_t taken = 0; taken < builder->count; taken++) {
        for (; read < builder->count && read < taken + READ_AHEAD; read++) {
            struct entry *entry = &ahead[read % READ_AHEAD];
            at = entry_read(entry, sealing, at);
            __builtin_prefetch(suffix_map_home(sealing->map, entry->hash), 1);
        }
        const struct entry *entry = &ahead[taken % READ_AHEAD];
        if (!entry_take(entry, sealing)) {
            return false;
        }
        give_back(sealing, entry->record);
    }
    return true;
}

static int extra_compare(const void *a, const void *b)
{
    const struct extra *x = a;
    const struct extra *y = b;
    if (x->record != y->record) {
        return x->record < y->record ? -1 : 1;
    }
    return (x->value > y->value) - (x->value < y->value);
}

/* Puts the values of names that have several in order, each once. */
static bool take_extras(struct sealing *sealing)
{
    struct suffix_map *map = sealing->map;
    struct extra *extras = sealing->extras;
    size_t count = sealing->extra_count;
    if (count == 0) {
        return true;
    }
    map->extra_records = calloc(count, sizeof *map->extra_records);
    map->extra_values = calloc(count, sizeof *map->extra_values);
    if (map->extra_records == NULL || map->extra_values == NULL) {
        return false;
    }
    qsort(extras, count, sizeof *extras, extra_compare);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || extra_compare(&extras[i - 1], &extras[i]) != 0) {
            map->extra_records[map->extra_count] = extras[i].record;
            map->extra_values[map->extra_count] = extras[i].value;
            map->extra_count++;
        }
    }
    return true;
}

/* An empty map with room for the builder's names, and its values by their numbers. */
static struct suffix_map *map_new(const struct suffix_map_builder *builder)
{
    struct suffix_map *map = calloc(1, sizeof *map);
    if (map == NULL) {
        return NULL;
    }
    map->bucket_count = builder->count / BUCKET_FILL + 1;
    map->value_count = builder->value_count;
    size_t size = map->bucket_count * sizeof *map->buckets;
    map->buckets = aligned_alloc(sizeof *map->buckets, size);
    map->records = malloc(builder->size + 1);
    map->values = calloc(map->value_count + 1, sizeof *map->values);
    if (map->buckets == NULL || map->records == NULL || map->values == NULL) {
        suffix_map_free(map);
        return NULL;
    }
    /* A look-up in hundreds of megabytes waits for addresses to be translated longer than for what
     * it reads. Before they are first written: to make large pages of small ones later
     * (MADV_COLLAPSE) keeps the kernel busy for so long at a time that queries wait. */
    advise(map->buckets, size, MADV_HUGEPAGE);
    advise(map->records, builder->size, MADV_HUGEPAGE);
    memset(map->buckets, 0, size);
    for (size_t i = 0; i < builder->value_count; i++) {
        map->values[builder->values[i].id] = builder->values[i].value;
    }
    return map;
}

/* Gives back the room of what was left out. */
static void shrink_records(struct suffix_map *map)
{
    uint8_t *records = realloc(map->records, map->records_size + 1);
    if (records != NULL) {
        map->records = records;
    }
}

struct suffix_map *suffix_map_seal(struct suffix_map_builder *builder)
{
    struct suffix_map *map = map_new(builder);
    if (map != NULL) {
        struct sealing sealing = {
            .map = map,
            .seed = builder->seed,
            .given_back = builder->records,
        };
        bool sealed = take_records(&sealing, builder) && take_extras(&sealing);
        shrink_records(map);
        free(sealing.extras);
        if (!sealed) {
            suffix_map_free(map);
            map = NULL;
        }
    }
    suffix_map_builder_free(builder);
    return map;
}
