/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where an order's action nxdomain is answered as nodata, because names below a blocked name stay
 * free. Internal to the reading of orders (policy/order_reader.h).
 */
#pragma once

#include "policy/order_reader.h"

struct order_blocked;

/* Warns of one such name of the order file, exact names and exceptions apart, and of one of each of
 * its lists. */
void order_nodata_check(struct order_reader *reader, const struct order_blocked *blocked);
