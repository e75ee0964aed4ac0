/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A decoder for as much of the MaxMind DB data section as finding one text by its path needs.
 * Invariant: offsets only become bytes in take(), which checks them; after the first bad
 * read a cursor is broken and reads zeros, so that callers test once.
 */
#include "geo/geo_record.h"

#include <stdbool.h>
#include <string.h>

/* More values than this in front of the one that is looked for, and the record is a trap: the
 * largest real ones hold some hundreds. */
#define VALUES_MAX 4096U

/* The type numbers of the format that are treated apart from "some bytes to skip". */
enum {
    TYPE_EXTENDED = 0,
    TYPE_POINTER = 1,
    TYPE_TEXT = 2,
    TYPE_MAP = 7,
    TYPE_ARRAY = 11,
    TYPE_BOOLEAN = 14,
};

#define ANY SIZE_MAX

/* The sizes that a value of each type may have; none for types that occur in no data section. */
static const struct {
    size_t least, most;
} sizes[] = {
    {1, 0},   /* extended: names another type */
    {1, 0},   /* pointer: decoded apart */
    {0, ANY}, /* text */
    {8, 8},   /* double */
    {0, ANY}, /* bytes */
    {0, 2},   /* uint16 */
    {0, 4},   /* uint32 */
    {0, ANY}, /* map */
    {0, 4},   /* int32 */
    {0, 8},   /* uint64 */
    {0, 16},  /* uint128 */
    {0, ANY}, /* array */
    {1, 0},   /* data cache container */
    {1, 0},   /* end marker */
    {0, 1},   /* boolean: the size is the value */
    {4, 4},   /* float */
};

#define TYPES (sizeof sizes / sizeof sizes[0])

struct cursor {
    const struct geo_record_section *section;
    size_t at;
    unsigned values; /* how many were decoded for this record so far */
    bool broken;
};

struct value {
    unsigned type;
    size_t size;         /* bytes of a text, pairs of a map, items of an array */
    const uint8_t *body; /* the bytes of a text */
};

/* The next size bytes, or NULL when the section ends before. */
static const uint8_t *take(struct cursor *cursor, size_t size)
{
    if (cursor->broken || cursor->at > cursor->section->size ||
        size > cursor->section->size - cursor->at) {
        cursor->broken = true;
        return NULL;
    }
    const uint8_t *bytes = cursor->section->bytes + cursor->at;
    cursor->at += size;
    return bytes;
}

/* A big-endian number of at most four bytes. */
static uint32_t take_number(struct cursor *cursor, size_t size)
{
    const uint8_t *bytes = take(cursor, size);
    uint32_t number = 0;
    for (size_t i = 0; bytes != NULL && i < size; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

/* The size in the low five bits of a control byte, or in the one to three bytes behind it. */
static size_t take_size(struct cursor *cursor, unsigned control)
{
    static const size_t base[] = {29, 285, 65821};
    unsigned size = control & 31;
    return size < 29 ? size : base[size - 29] + take_number(cursor, size - 28);
}

/* The offset that a pointer's control byte and the bytes behind it name. */
static size_t take_pointer(struct cursor *cursor, unsigned control)
{
    static const size_t base[] = {0, 2048, 526336};
    unsigned extra = control >> 3 & 3;
    if (extra == 3) {
        return take_number(cursor, 4);
    }
    size_t high = (size_t)(control & 7) << (8 * (extra + 1));
    return base[extra] + high + take_number(cursor, extra + 1);
}

/* Decodes the value at the cursor and moves behind it; behind the head of a map or an array. A
 * pointer's size is the offset it names. */
static struct value take_value(struct cursor *cursor)
{
    struct value value = {0};
    if (++cursor->values > VALUES_MAX) {
        cursor->broken = true;
    }
    unsigned control = take_number(cursor, 1);
    value.type = control >> 5;
    if (value.type == TYPE_POINTER) {
        value.size = take_pointer(cursor, control);
        return value;
    }
    if (value.type == TYPE_EXTENDED) {
        value.type = 7 + take_number(cursor, 1);
    }
    value.size = take_size(cursor, control);
    if (value.type >= TYPES || value.size < sizes[value.type].least ||
        value.size > sizes[value.type].most) {
        cursor->broken = true;
    }
    if (value.type != TYPE_MAP && value.type != TYPE_ARRAY && value.type != TYPE_BOOLEAN) {
        value.body = take(cursor, value.size);
    }
    return value;
}

/* Like take_value, but a pointer is replaced by what it points to. The cursor then stands inside a
 * map or an array that was pointed to, and behind the pointer in front of any other value. */
static struct value take_followed(struct cursor *cursor)
{
    struct value value = take_value(cursor);
    if (value.type != TYPE_POINTER) {
        return value;
    }
    size_t behind = cursor->at;
    cursor->at = value.size;
    value = take_value(cursor);
    if (value.type == TYPE_POINTER) {
        cursor->broken = true; /* the format forbids pointers to pointers */
    }
    if (value.type != TYPE_MAP && value.type != TYPE_ARRAY) {
        cursor->at = behind;
    }
    return value;
}

/* Moves behind the value at the cursor and all that is nested in it, without following pointers. */
static void skip_value(struct cursor *cursor)
{
    size_t pending = 1;
    while (pending > 0 && !cursor->broken) {
        struct value value = take_value(cursor);
        pending--;
        if (value.type == TYPE_ARRAY) {
            pending += value.size;
        } else if (value.type == TYPE_MAP) {
            pending += 2 * value.size;
        }
    }
}

/* With the cursor inside a map of so many pairs: moves to the value of this key if it is there. */
static bool find_key(struct cursor *cursor, size_t pairs, const char *key)
{
    size_t key_len = strlen(key);
    for (; pairs > 0 && !cursor->broken; pairs--) {
        struct value name = take_followed(cursor);
        if (name.type != TYPE_TEXT) {
            cursor->broken = true;
        }
        if (cursor->broken) {
            return false;
        }
        if (name.size == key_len && memcmp(name.body, key, key_len) == 0) {
            return true;
        }
        skip_value(cursor);
    }
    return false;
}

/* With the cursor inside an array of so many items: moves to the one that key, a digit, counts. */
static bool find_item(struct cursor *cursor, size_t items, const char *key)
{
    size_t index = (size_t)(key[0] - '0');
    if (index > 9 || index >= items) {
        return false;
    }
    for (; index > 0; index--) {
        skip_value(cursor);
    }
    return !cursor->broken;
}

/* Moves from a value to the part of it that key names. */
static bool find_part(struct cursor *cursor, const struct value *value, const char *key)
{
    if (value->type == TYPE_MAP) {
        return find_key(cursor, value->size, key);
    }
    return value->type == TYPE_ARRAY && find_item(cursor, value->size, key);
}

enum geo_record_outcome geo_record_find(const struct geo_record_section *section, size_t offset,
                                        const char *const *path, struct geo_record_text *out)
{
    struct cursor cursor = {.section = section, .at = offset};
    struct value value = take_followed(&cursor);
    bool found = true;
    for (; *path != NULL && found; path++) {
        found = find_part(&cursor, &value, *path);
        if (found) {
            value = take_followed(&cursor);
        }
    }
    if (cursor.broken) {
        return GEO_RECORD_BROKEN;
    }
    if (!found || value.type != TYPE_TEXT) {
        return GEO_RECORD_LACKS;
    }
    *out = (struct geo_record_text){(const char *)value.body, value.size};
    return GEO_RECORD_TEXT;
}
