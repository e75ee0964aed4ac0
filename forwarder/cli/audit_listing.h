/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The audit record as a list: each event with when, what and who asked for it.
 */
#pragma once

#include <stdbool.h>

struct audit_files;

/* Prints the record in these files; with json its lines as they are. What is not as it was written
 * is told on standard error. False if something was not, or could not be read or printed. */
bool audit_listing_print(const struct audit_files *files, bool json);
