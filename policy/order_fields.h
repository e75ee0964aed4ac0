/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The keys of an order that say whom it binds and what is answered. Internal to the reading of
 * orders (policy/order_reader.h).
 */
#pragma once

#include "policy/order_reader.h"

order_key_fn order_fields_scope;
order_key_fn order_fields_include_unknown;
order_key_fn order_fields_except_networks;
order_key_fn order_fields_action;
order_key_fn order_fields_addresses;
order_key_fn order_fields_target;
order_key_fn order_fields_aliases;

/* The scope of an order that gives none: its folder. */
void order_fields_scope_of_folder(struct order_reader *reader);

/* Judges addresses and target with the action they belong to. */
void order_fields_check(struct order_reader *reader);
