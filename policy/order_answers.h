/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The key of an order that says for which addresses in it an answer is blocked. Internal to the
 * reading of orders (policy/order_reader.h).
 */
#pragma once

#include "policy/order_reader.h"

/* A list of networks and addresses. What the guard refuses is an error; addresses that belong to
 * nobody alone (private, loopback …) are a warning: many unrelated names have them. */
order_key_fn order_answers_read;
