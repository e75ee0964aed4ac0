/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The windows of an order: is it a time of the week at which the order binds? Judged by what the
 * clocks of the order's time zone show, and by nothing else: while they are put back an hour is
 * judged twice, and an hour that they leave out never comes. Integer arithmetic over the order; no
 * allocation, lock or system call.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct order;

/* Do the clocks show a time within a window at this instant? An order without windows always binds.
 */
bool order_window_open(const struct order *order, int64_t instant);

/* The first instant after this one at which that changes: an open window closes or, if none is
 * open, the next one opens. ORDER_FOR_GOOD if nothing changes within two weeks. */
int64_t order_window_until(const struct order *order, int64_t instant);
