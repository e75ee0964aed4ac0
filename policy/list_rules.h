/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The rules of a list of format rpz while it is read: each with a number, and equal ones only once.
 * A zone of a million names has a handful of rules, and so few distinct values in its map.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "policy/order_action.h"

struct list_rules;

/* NULL when memory is out. */
struct list_rules *list_rules_new(void);
void list_rules_free(struct list_rules *rules); /* NULL is allowed */

/* The number, from 1, of the rule that is equal to this one; it is copied if there is none yet.
 * False when memory is out or there are more rules than a value of a map can tell apart. */
bool list_rules_add(struct list_rules *rules, const struct order_rule *rule, uint32_t *number);

/* Moves all rules to the caller, who frees them with list_rules_release: rule n is at index n - 1.
 */
struct order_rule *list_rules_take(struct list_rules *rules, size_t *count);
void list_rules_release(struct order_rule *rules, size_t count);
