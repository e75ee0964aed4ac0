/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which names come most often, counted in memory of a fixed size: space-saving sketches (Metwally,
 * Agrawal and El Abbadi, 2005), one for each set of names with equal hash bits, so that a name is
 * found by a few comparisons. A name that makes up more than one in NAME_SKETCH_WAYS of its set is
 * kept, and no count is too low.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "policy/dname.h"

#define NAME_SKETCH_SETS 128 /* a power of two */
#define NAME_SKETCH_WAYS 8

struct name_sketch;

struct name_sketch_count {
    struct dname name;
    uint64_t count; /* how often it came, plus the count of a name whose place it took */
};

struct name_sketch *name_sketch_new(void); /* empty; NULL when memory is out */
void name_sketch_free(struct name_sketch *sketch);
void name_sketch_clear(struct name_sketch *sketch);

/* Counts a name so many times. No allocation, no system call. */
void name_sketch_add(struct name_sketch *sketch, const struct dname *name, uint64_t count);

/* Adds all that another one counted. */
void name_sketch_merge(struct name_sketch *sketch, const struct name_sketch *other);

/* The names that came most often, at most max of them, the most frequent first, then by name. */
size_t name_sketch_most(const struct name_sketch *sketch, struct name_sketch_count *out,
                        size_t max);
