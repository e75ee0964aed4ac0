/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A file that people edit, read and then replaced as a whole: whoever looks sees the old bytes or
 * the new ones, after a crash too, and never half of them. A symbolic link is followed to its file.
 */
#pragma once

#include <sys/stat.h>

#include "geo/file_bytes.h"
#include "geo/problem.h"

struct file_replace {
    char *path; /* of the file itself, links resolved; owned */
    struct stat was;
    struct file_bytes file;
};

/* Reads a file of at most max bytes. False with a sentence in why that does not name it. */
bool file_replace_open(const char *path, size_t max, struct file_replace *out,
                       char why[static WHY_MAX]);
void file_replace_fini(struct file_replace *replace);

/* Puts new bytes in its place, with the same mode and owner (a group that cannot be kept is a
 * failure: others might no longer read the file): a file beside it whose name begins with a dot,
 * synced, renamed, the folder synced. False with a sentence, and everything as it was, if the file
 * is not the one that was read any more or anything fails before the rename; if only the last sync
 * fails, the sentence says so. What was left behind by a crash is taken away. */
bool file_replace_write(const struct file_replace *replace, const struct file_bytes *bytes,
                        char why[static WHY_MAX]);

/* The same for a file that must not exist yet; the umask decides who may read it. */
bool file_replace_create(const char *path, const struct file_bytes *bytes,
                         char why[static WHY_MAX]);
