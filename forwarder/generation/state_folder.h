/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The folder of one kept version, as state.c and state_batch.c share it: where it lies, what its
 * description says, and what in it is of no use any more.
 */
#pragma once

#include "forwarder/generation/state.h"

#define STATE_FOLDER_META "meta.json"

/* The folder of a key, and a name below a folder: on the heap, NULL when memory is out. */
char *state_folder_of(const struct state_key *key);
char *state_folder_join(const char *folder, const char *name);
char *state_folder_part(const char *folder, const struct state_part *part);

/* Reads the version in a folder, whatever its path is; like state_read. */
enum state_outcome state_folder_read(const char *folder, struct state_version *out,
                                     char why[static WHY_MAX]);

/* Removes what the version in a folder does not name: parts of the one before, and what a process
 * that was killed or a disk that was full left behind. Without a version that is everything. */
void state_folder_tidy(const char *folder);

/* Says in why what failed, for which path and, from errno, why. Returns false. */
bool state_folder_refuse(char why[static WHY_MAX], const char *what, const char *path);
