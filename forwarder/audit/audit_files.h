/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The files of an audit record: 00000001.jsonl and on, in the order of their numbers. A file ends
 * when it has grown large enough; none is ever written to again after that, so it may be packed
 * (00000001.jsonl.gz or .zst) or taken to another folder, and a record may be read from several.
 * Whoever reads takes the shared lock, the one daemon that writes the exclusive one, so that what
 * is read ends with a whole line unless the writer was killed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "geo/problem.h"

struct audit_file {
    unsigned number;
    bool packed;
    char *path;
};

struct audit_files {
    struct audit_file *items; /* by their numbers; of the same number those that were added first */
    size_t count;
};

/* Adds what is in a folder to *files, all zero before the first. Other names are passed over, and
 * so is a number that is there already, as long as its file is being packed or taken elsewhere.
 * False with a reason (folder and sentence) if the folder cannot be read. */
bool audit_files_add(struct audit_files *files, const char *folder, char why[static WHY_MAX]);
void audit_files_fini(struct audit_files *files);

/* The path of a file that is not packed, on the heap; NULL when memory is out. */
char *audit_files_path(const char *folder, unsigned number);

/* Reads all that is in a file now, unpacked: octets on the heap. NULL with a reason. */
char *audit_files_read(const char *path, size_t *size, char why[static WHY_MAX]);
