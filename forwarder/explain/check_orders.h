/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Warnings about orders that are well-formed each for itself: names that another order blocks
 * already, and deadlines that have passed.
 */
#pragma once

#include <stdint.h>

#include "geo/problem.h"

struct generation;

/* Appends warnings, each under its order's file. A name counts as covered if another order in force
 * now blocks it and all that lies below it for every client that its own order binds. The earlier
 * of two orders with the same name is the one that covers. seed is that of the generation's load.
 */
void check_orders_covered(const struct generation *generation, uint64_t seed, int64_t now,
                          struct problem_list *problems);

/* Appends a warning for each order that had to be in force by now and is not. */
void check_orders_overdue(const struct generation *generation, int64_t now,
                          struct problem_list *problems);
