/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One order file of a load: from the orders folder, or its last good version, from the generation
 * before or from `state`.
 */
#pragma once

#include "forwarder/generation/generation_work.h"

/* Reads the file that candidate->path names. With an error in it candidate->failed is set and its
 * order is the last good version, if there is one. */
void generation_order_file_read(struct generation_work *work,
                                struct generation_candidate *candidate);

/* Puts the last good version in the place of whatever order the candidate has: that of the
 * generation before or, at a start, that under state. Its order is NULL if there is none that may
 * be used. */
void generation_order_file_fall_back(struct generation_work *work,
                                     struct generation_candidate *candidate);

/* Frees the bytes that the candidate holds for state. */
void generation_order_file_drop_bytes(struct generation_candidate *candidate);

/* A list's path below the orders folder: from the folder of the order that names it; an absolute
 * one stays as it is. Returns out, cut if it is longer than any path may be. */
char *generation_order_file_list_path(const char *order, const char *list,
                                      char out[static GENERATION_NAME_MAX]);
