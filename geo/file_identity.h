/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which file it is, whatever path leads to it: device and inode.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct file_identity {
    dev_t device;
    ino_t inode;
};

/* The file that path leads to, links followed, from dir (an open folder or AT_FDCWD). False if
 * there is none. */
bool file_identity_of(int dir, const char *path, struct file_identity *out);

/* Does path lead to one of these count files? */
bool file_identity_among(const struct file_identity *files, size_t count, int dir,
                         const char *path);

/* An order of identities, for qsort and bsearch. */
int file_identity_compare(const void *a, const void *b);
