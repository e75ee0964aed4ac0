/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rates a second from two answers to the control request `top`, one later than the other. Pure: no
 * socket, no clock.
 */
#pragma once

#include <jansson.h>

/* An object of what happened between the two: "interval_ms", "generation", a rate for each counter,
 * "by_order" and "would_block_by_order" {ID: rate}, "by_country" {CC: {"queries", "blocked"}}, what
 * did not happen left out of these three; and, if after has them, "names" [{"name", "blocked"}] by
 * their own interval, or null while there is none. Rates are real numbers.
 *
 * A new reference; NULL if before is not the earlier one: the daemon was started anew between them,
 * or is of another version; or when memory is out. */
json_t *top_rates(const json_t *before, const json_t *after);
