/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An order that was read under one guard, judged again by another: a last good version must not
 * block what has been protected since. allow-wide was judged when the order was read.
 */
#pragma once

#include <stdbool.h>

#include "geo/problem.h"

struct guard;
struct order;

/* Does the order block nothing that the guard protects? Its names, those of its lists and its
 * networks are judged; if it blocks by the root, a label, an answer or an alias, each protected
 * name must be among its exceptions, and what stands above one must pass unless it may block all.
 * False with a sentence if it does block something, or memory is out.
 */
bool order_guard_allows(const struct order *order, const struct guard *guard,
                        char why[static WHY_MAX]);
