/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An order that was read under one guard, judged again by another: a last good version must not
 * block what has been protected since. What allow-wide is for was judged when it was read.
 */
#pragma once

#include <stdbool.h>

#include "geo/problem.h"

struct guard;
struct order;

/* Does the order block nothing that the guard protects: no name, by its file or its lists, no
 * network, and nothing through the root, a label, an answer or an alias, where each protected name
 * must be among its exceptions? If it does, or memory is out, false with a sentence. */
bool order_guard_allows(const struct order *order, const struct guard *guard,
                        char why[static WHY_MAX]);
