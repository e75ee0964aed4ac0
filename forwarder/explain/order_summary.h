/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An order of a generation as a JSON object: whom it binds, when, how many names it gives and from
 * which bytes it was read. The daemon tells it of what is in force, the operator's tool of what it
 * has read itself; so the two can be compared.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct generation;
struct order;

/* The order with this index of policy_order(); NULL when memory is out. */
json_t *order_summary_json(const struct generation *generation, size_t index, int64_t now);

/* Names of the file and of its lists, of any kind. */
size_t order_summary_names(const struct order *order);
