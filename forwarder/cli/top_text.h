/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The live view as text for people: tables of what top_rates computed, the busiest first.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Writes the view, in at most lines lines (0: all there are). False when memory is out. */
bool top_text_print(const json_t *rates, size_t lines, FILE *out);
