/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A qname prepared for being looked up: the hash of each of its suffixes, made in one pass from the
 * right, so that any number of suffix maps of the same seed can be asked for any suffix. Hashes are
 * seeded: who does not know the seed cannot choose names that collide.
 */
#pragma once

#include "policy/dname.h"

struct suffix_keys {
    const struct dname *name;            /* borrowed */
    unsigned count;                      /* labels of the name; suffixes have 0 … count labels */
    uint8_t start[DNAME_LABELS_MAX + 1]; /* by labels of the suffix: its offset in name->wire */
    uint64_t hash[DNAME_LABELS_MAX + 1]; /* by labels of the suffix */
};

/* No allocation, lock or system call. */
void suffix_keys_init(struct suffix_keys *keys, const struct dname *name, uint64_t seed);
