/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The bytes of a list as they are to be read: those of a plain file, or what a gzip file (RFC 1952)
 * or a Zstandard file (RFC 8878) unpacks to, one or several members or frames. What was unpacked
 * counts only once the end is reached: a file that was cut off, or is damaged, shows only there.
 */
#pragma once

#include "policy/name_list.h"

/* A Zstandard file may ask for a window of 2^27 bytes (128 MiB), not more. */
#define LIST_UNPACK_WINDOW_LOG_MAX 27

struct list_unpack;

/* source is borrowed. NULL with a sentence in why. */
struct list_unpack *list_unpack_new(enum name_list_packing packing,
                                    const struct name_list_source *source,
                                    char why[static WHY_MAX]);
void list_unpack_free(struct list_unpack *unpack); /* NULL is allowed */

/* The next bytes, at most room of them; *got is 0 at the end and only there. False with a sentence:
 * the source fails, is not packed as it should be, is cut off or damaged, or unpacks to too much.
 */
bool list_unpack_read(struct list_unpack *unpack, char *out, size_t room, size_t *got,
                      char why[static WHY_MAX]);
