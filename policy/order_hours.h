/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The key of an order that says at which times of the week it binds. Internal to the reading of
 * orders (policy/order_reader.h).
 */
#pragma once

#include "policy/order_reader.h"

/* A list of mappings of days (mon … sun; every day), from and to (HH:MM, to up to 24:00), by the
 * clocks of the order's timezone, which it needs. */
order_key_fn order_hours_read;
