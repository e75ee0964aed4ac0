/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The scope of an order as the codes a person writes: groups first, then countries, then
 * subdivisions, each once and in alphabetical order. Says nothing of include-unknown, which has no
 * code.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "policy/order.h"

#define SCOPE_CODES_TEXT_MAX 8

/* Steps through the codes: *at is 0 before the first call and belongs to this function. False when
 * there are no more. */
bool scope_codes_next(const struct order_scope *scope, unsigned *at,
                      char code[static SCOPE_CODES_TEXT_MAX]);

/* Writes them separated by a comma and a blank, and "unknown countries" behind them if the order
 * binds those too. */
void scope_codes_print(const struct order_scope *scope, FILE *out);
