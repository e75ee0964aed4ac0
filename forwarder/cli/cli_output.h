/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What every command writes alike: messages on standard error, JSON lines on standard output.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/* "bailiwick: ", the message as plain text, a line end; on standard error. */
void cli_output_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for wrong usage of a command, with the hint where its help is. */
void cli_output_usage(const char *command, const char *why);

/* Writes the object compactly, keys in their order, and a line end to standard output. False if
 * memory is out (said on standard error, also for an object that found none and is NULL) or
 * standard output fails (main says so). */
bool cli_output_json(const json_t *object);
