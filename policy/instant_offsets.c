/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The table is found by asking the zone week by week, and between two weeks that differ by halving:
 * no zone changes its offset twice in a week and back.
 */
#include "policy/instant_offsets.h"

#include <stddef.h>
#include <stdlib.h>

#include "policy/instant.h"

#define FIRST_INSTANT INT64_C(0)         /* 1970 */
#define LAST_INSTANT INT64_C(2145916800) /* 2038 */
#define STEP_S INT64_C(604800)

struct change {
    int64_t from;
    int32_t offset;
};

struct instant_offsets {
    size_t count; /* at least 1; the first holds before its instant too */
    size_t capacity;
    struct change *changes; /* ascending */
};

static bool add(struct instant_offsets *offsets, int64_t from, int32_t offset)
{
    if (offsets->count == offsets->capacity) {
        size_t capacity = offsets->capacity * 2 + 16;
        struct change *changes = reallocarray(offsets->changes, capacity, sizeof *changes);
        if (changes == NULL) {
            return false;
        }
        offsets->changes = changes;
        offsets->capacity = capacity;
    }
    offsets->changes[offsets->count++] = (struct change){from, offset};
    return true;
}

/* The first instant in (before, after] at which the offset is no longer that of before. */
static int64_t find_change(const struct instant_zone *zone, int64_t before, int64_t after)
{
    int32_t offset = instant_zone_offset(zone, before);
    while (after - before > 1) {
        int64_t middle = before + (after - before) / 2;
        if (instant_zone_offset(zone, middle) == offset) {
            before = middle;
        } else {
            after = middle;
        }
    }
    return after;
}

static bool fill(struct instant_offsets *offsets, const struct instant_zone *zone)
{
    if (!add(offsets, FIRST_INSTANT, instant_zone_offset(zone, FIRST_INSTANT))) {
        return false;
    }
    for (int64_t at = FIRST_INSTANT; at < LAST_INSTANT; at += STEP_S) {
        int32_t later = instant_zone_offset(zone, at + STEP_S);
        if (later != instant_zone_offset(zone, at) &&
            !add(offsets, find_change(zone, at, at + STEP_S), later)) {
            return false;
        }
    }
    return true;
}

struct instant_offsets *instant_offsets_new(const struct instant_zone *zone)
{
    struct instant_offsets *offsets = calloc(1, sizeof *offsets);
    if (offsets != NULL && !fill(offsets, zone)) {
        instant_offsets_free(offsets);
        return NULL;
    }
    return offsets;
}

void instant_offsets_free(struct instant_offsets *offsets)
{
    if (offsets != NULL) {
        free(offsets->changes);
        free(offsets);
    }
}

int32_t instant_offsets_at(const struct instant_offsets *offsets, int64_t instant, int64_t *until)
{
    size_t low = 1; /* changes before it lie at or before the instant */
    for (size_t high = offsets->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (offsets->changes[middle].from <= instant) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *until = low < offsets->count ? offsets->changes[low].from : INT64_MAX;
    return offsets->changes[low - 1].offset;
}
