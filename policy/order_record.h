/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The keys of an order that are for the record. Internal to the reading of orders
 * (policy/order_reader.h).
 */
#pragma once

#include "policy/order_reader.h"

order_key_fn order_record_id;
order_key_fn order_record_text;         /* one line */
order_key_fn order_record_date;         /* a date for the record */
order_key_fn order_record_date_or_time; /* or a time */
order_key_fn order_record_disclose;
order_key_fn order_record_public_record;

/* Who did what to the order, when and why: a list of mappings of at (RFC 3339), by, what and
 * reason. Checked, and otherwise of no concern here. */
order_key_fn order_record_history;
