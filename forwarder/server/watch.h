/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Edits that others make (inotify): the orders folder and single files outside it are watched, and
 * who asked is told once things are quiet. The end of writing counts, not its beginning: a file is
 * changed when it is closed, moved to its place or gone, and until then it is one of those that
 * watch_unfinished names, whoever caused a load meanwhile. Runs in the loop's thread; reads no
 * file.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "geo/file_identity.h"
#include "geo/problem.h"

struct event_base;
struct watch;

struct watch_timing {
    unsigned quiet_ms;   /* without a change before it is told */
    unsigned longest_ms; /* from the first change until it is told at the latest */
};

/* What changed: the first few paths, separated by ", ", and how many changes there were. */
#define WATCH_FILES_MAX 400
struct watch_change {
    char files[WATCH_FILES_MAX];
    unsigned long count;
};
typedef void watch_changed_fn(void *ctx, const struct watch_change *change);

/* NULL with a sentence. */
struct watch *watch_new(struct event_base *base, const struct watch_timing *timing,
                        watch_changed_fn *changed, void *ctx, char why[static WHY_MAX]);
void watch_free(struct watch *watch); /* NULL is allowed */

/* Watches this folder, to any depth, and these files, absolute paths all, in place of those before.
 * A file that is wanted for the first time and changed at or after since (seconds since the epoch)
 * counts as changed now: nobody was watching it while it was read. */
void watch_follow(struct watch *watch, const char *folder, const char *const *files, size_t count,
                  int64_t since);

/* Why some edits go unnoticed, one sentence; NULL: none does. */
const char *watch_problem(const struct watch *watch);

/* The files that are being written now, *count of them; the caller frees. NULL with 0. */
struct file_identity *watch_unfinished(const struct watch *watch, size_t *count);
