/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The key of an order with what clients are told: one text, or one for each language. Internal to
 * the reading of orders (policy/order_reader.h).
 */
#pragma once

#include "policy/order_reader.h"

order_key_fn order_messages_read;
