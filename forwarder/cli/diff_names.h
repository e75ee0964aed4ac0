/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which names one version of an order gives and another does not.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct order;

#define DIFF_NAMES_SHOWN 20

struct diff_names {
    size_t added;
    size_t removed;
    json_t *added_shown; /* the first DIFF_NAMES_SHOWN of them as text, "=" before an exact name,
                            "!" before an exception */
    json_t *removed_shown;
};

/* Compares two orders that were loaded with the same seed; either may be NULL, which gives nothing.
 * False when memory is out. */
bool diff_names_compare(const struct order *before, const struct order *after, uint64_t seed,
                        struct diff_names *out);
void diff_names_fini(struct diff_names *names);
