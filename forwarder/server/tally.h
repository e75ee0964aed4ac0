/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Counts by order id over generations: what published generations counted is folded in here when
 * they are freed. Main thread only.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct published;

struct tally {
    json_t *blocked;     /* {id: count} */
    json_t *would_block; /* the same, for orders with action shadow */
};

bool tally_init(struct tally *tally);
void tally_fini(struct tally *tally);

/* Adds what all workers counted for this generation. */
void tally_fold(struct tally *tally, const struct published *published);

/* Makes a copy, to which more can be folded. False when memory is out. */
bool tally_copy(const struct tally *tally, struct tally *out);
