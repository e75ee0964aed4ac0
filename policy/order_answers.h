/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The key of an order that says which addresses in an answer make it blocked. Internal to the
 * reading of orders (policy/order_reader.h).
 */
#pragma once

#include "policy/order_reader.h"

/* A list of networks and addresses. What the guard refuses is an error; addresses that are nobody's
 * own (private, loopback …) are a warning: names of many have them. */
order_key_fn order_answers_read;
