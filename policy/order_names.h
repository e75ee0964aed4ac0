/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The keys of an order that say which names it blocks. Internal to the reading of orders
 * (policy/order_reader.h).
 */
#pragma once

#include "policy/order_reader.h"

order_key_fn order_names_allow_wide;
order_key_fn order_names_names;
order_key_fn order_names_exact;
order_key_fn order_names_except;
order_key_fn order_names_lists;

/* Judges what only all names together show: that there are any, and where nxdomain becomes nodata
 * because names below a blocked name stay free (a warning). */
void order_names_check(struct order_reader *reader);
