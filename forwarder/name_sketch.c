/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sets of a few counts each (see name_sketch.h). Invariant: no name stands twice in its set, and
 * one that is not there came at most as often as the least count of it says.
 */
#include "forwarder/name_sketch.h"

#include <stdlib.h>
#include <string.h>

struct set {
    struct name_sketch_count counts[NAME_SKETCH_WAYS]; /* of count 0: free */
};

struct name_sketch {
    struct set sets[NAME_SKETCH_SETS];
};

struct name_sketch *name_sketch_new(void)
{
    return calloc(1, sizeof(struct name_sketch));
}

void name_sketch_free(struct name_sketch *sketch)
{
    free(sketch);
}

void name_sketch_clear(struct name_sketch *sketch)
{
    memset(sketch, 0, sizeof *sketch);
}

/* FNV-1a. Names that orders list cannot be chosen by those who ask, so no secret is needed; and one
 * who owns a listed name can crowd out names of its own set alone. */
static size_t set_of(const struct dname *name)
{
    uint64_t hash = 0xcbf29ce484222325U;
    for (size_t i = 0; i < name->size; i++) {
        hash = (hash ^ name->wire[i]) * 0x100000001b3U;
    }
    return (size_t)(hash ^ hash >> 32) & (NAME_SKETCH_SETS - 1);
}

void name_sketch_add(struct name_sketch *sketch, const struct dname *name, uint64_t count)
{
    struct set *set = &sketch->sets[set_of(name)];
    struct name_sketch_count *least = &set->counts[0];
    for (size_t i = 0; i < NAME_SKETCH_WAYS; i++) {
        struct name_sketch_count *each = &set->counts[i];
        if (each->count > 0 && dname_equal(&each->name, name)) {
            each->count += count;
            return;
        }
        least = each->count < least->count ? each : least;
    }
    least->name = *name;
    least->count += count; /* what went may have been this name: never too low */
}

void name_sketch_merge(struct name_sketch *sketch, const struct name_sketch *other)
{
    for (size_t i = 0; i < NAME_SKETCH_SETS * NAME_SKETCH_WAYS; i++) {
        const struct name_sketch_count *each =
            &other->sets[i / NAME_SKETCH_WAYS].counts[i % NAME_SKETCH_WAYS];
        if (each->count > 0) {
            name_sketch_add(sketch, &each->name, each->count);
        }
    }
}

static int compare(const void *a, const void *b)
{
    const struct name_sketch_count *first = a, *second = b;
    if (first->count != second->count) {
        return first->count > second->count ? -1 : 1;
    }
    size_t size = first->name.size < second->name.size ? first->name.size : second->name.size;
    int order = memcmp(first->name.wire, second->name.wire, size);
    return order != 0 ? order : (int)first->name.size - (int)second->name.size;
}

size_t name_sketch_most(const struct name_sketch *sketch, struct name_sketch_count *out, size_t max)
{
    struct name_sketch_count *all =
        calloc(NAME_SKETCH_SETS * NAME_SKETCH_WAYS, sizeof(struct name_sketch_count));
    size_t count = 0;
    if (all == NULL) {
        return 0;
    }
    for (size_t i = 0; i < NAME_SKETCH_SETS * NAME_SKETCH_WAYS; i++) {
        const struct name_sketch_count *each =
            &sketch->sets[i / NAME_SKETCH_WAYS].counts[i % NAME_SKETCH_WAYS];
        if (each->count > 0) {
            all[count++] = *each;
        }
    }
    qsort(all, count, sizeof all[0], compare);
    count = count < max ? count : max;
    memcpy(out, all, count * sizeof all[0]);
    free(all);
    return count;
}
