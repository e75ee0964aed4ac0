/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The kinds of single values in forwarder.conf, each a config_parse_fn for rows of its tables.
 * A value out of the row's range, or of another kind, is refused with a sentence that says what
 * was expected. Numbers go into unsigned fields of any width.
 */
#pragma once

#include "forwarder/config/config_table.h"

/* One of key->choices, into an enum or a bool. */
config_parse_fn config_scalar_choice;

/* A decimal number, key->min to key->max. */
config_parse_fn config_scalar_number;

/* "500ms", "2s", "5m", "1h", "60d", in milliseconds or in whole seconds. */
config_parse_fn config_scalar_milliseconds;
config_parse_fn config_scalar_seconds;

/* "256 KiB", "1 MiB", or octets alone. */
config_parse_fn config_scalar_size;

/* Into a char * field, on the heap: one line of at most key->max octets; a path, made absolute
 * from the configuration's folder and without a slash at its end (at most key->max octets then,
 * if that is not 0). */
config_parse_fn config_scalar_text;
config_parse_fn config_scalar_path;

/* Writes value into an unsigned field of size octets; a size of 0 is no field. */
void config_scalar_store(void *field, size_t size, uint64_t value);
