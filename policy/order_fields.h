/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The keys of an order that say what is on record, whom it binds, when, and what is answered; not
 * its names. Internal to the reading of orders (policy/order_reader.h).
 */
#pragma once

#include "policy/order_reader.h"

order_key_fn order_fields_id;
order_key_fn order_fields_text;         /* one line */
order_key_fn order_fields_date;         /* a date for the record */
order_key_fn order_fields_date_or_time; /* or a time */
order_key_fn order_fields_message;
order_key_fn order_fields_disclose;
order_key_fn order_fields_public_record;
order_key_fn order_fields_status;
order_key_fn order_fields_timezone;
order_key_fn order_fields_effective;
order_key_fn order_fields_until;
order_key_fn order_fields_review;
order_key_fn order_fields_scope;
order_key_fn order_fields_include_unknown;
order_key_fn order_fields_except_networks;
order_key_fn order_fields_action;
order_key_fn order_fields_addresses;
order_key_fn order_fields_aliases;
order_key_fn order_fields_unsupported; /* a key of the contract that this build refuses */

/* The scope of an order that gives none: its folder. */
void order_fields_scope_of_folder(struct order_reader *reader);

/* Judges what only several keys together show: dates in order, addresses with their action. */
void order_fields_check(struct order_reader *reader);
