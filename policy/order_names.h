/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The keys of an order that say which names it blocks. Internal to the reading of orders
 * (policy/order_reader.h).
 */
#pragma once

#include "policy/order_reader.h"

order_key_fn order_names_allow_wide; /* networks too */
order_key_fn order_names_names;
order_key_fn order_names_exact;
order_key_fn order_names_except;
order_key_fn order_names_any_tld;

/* Can the order block names that stand neither in it nor in its lists: by a label of any-tld, by
 * what an answer holds, or by who asks? */
bool order_names_reach_beyond(const struct order *order);

/* Can it, or does it block the root? Then the protected names must be among its exceptions. */
bool order_names_need_exceptions(const struct order *order);

/* Must what stands above the protected names pass? It is protected too; but who blocks the root, or
 * whatever some clients ask for, was allowed to by allow-wide, and has these names blocked. */
bool order_names_need_passes(const struct order *order);

/* Once all keys are read: an order that needs them gets the protected names as exceptions, and
 * those above them as passes; equal terms are shared. */
void order_names_finish(struct order_reader *reader);
