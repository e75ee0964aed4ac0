/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How far the clocks of a time zone are ahead of UTC, as a table: made once, immutable, asked by
 * any thread without allocation, lock or system call. It knows the changes of the years that the
 * system's tzdata lists one by one (1970 to 2037); before and after those years the nearest offset
 * applies.
 */
#pragma once

#include <stdint.h>

struct instant_offsets;
struct instant_zone;

/* NULL when memory is out. The zone is only asked, and may be closed. */
struct instant_offsets *instant_offsets_new(const struct instant_zone *zone);
void instant_offsets_free(struct instant_offsets *offsets); /* NULL is allowed */

/* Seconds ahead of UTC at an instant. *until (not NULL) is the first later instant at which that
 * changes, INT64_MAX for never. */
int32_t instant_offsets_at(const struct instant_offsets *offsets, int64_t instant, int64_t *until);
