/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The files of an audit record: 00000001.jsonl and on, in one folder, in the order of their
 * numbers. A file ends when it has grown large enough; none is ever written to again after that.
 * Whoever reads takes the shared lock, the one daemon that writes the exclusive one, so that what
 * is read ends with a whole line unless the writer was killed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "geo/problem.h"

struct audit_files {
    unsigned *numbers; /* ascending */
    size_t count;
};

/* What is there; other names are passed over. False with a reason if the folder cannot be read. */
bool audit_files_list(const char *folder, struct audit_files *out, char why[static WHY_MAX]);
void audit_files_fini(struct audit_files *files);

/* The path of a file, on the heap; NULL when memory is out. */
char *audit_files_path(const char *folder, unsigned number);

/* Reads all that is in a file now: octets on the heap. NULL with a reason. */
char *audit_files_read(const char *path, size_t *size, char why[static WHY_MAX]);
