/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The keys of an order that say from when to when it binds. Internal to the reading of orders
 * (policy/order_reader.h).
 */
#pragma once

#include "policy/order_reader.h"

order_key_fn order_times_status;
order_key_fn order_times_timezone;
order_key_fn order_times_effective;
order_key_fn order_times_until;
order_key_fn order_times_review;

/* Reads a time, or a date as the first instant of that day or of the day after it in the order's
 * timezone. False after a problem, or if the timezone was refused. */
bool order_times_start(struct order_reader *reader, struct yaml_node value, int64_t *out);
bool order_times_end(struct order_reader *reader, struct yaml_node value, int64_t *out);

/* Judges the dates of the order together, and warns of what is past. */
void order_times_check(struct order_reader *reader);
