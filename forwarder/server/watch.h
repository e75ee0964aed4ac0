/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Edits of files, noticed by inotify: the orders folder and single files outside it are watched,
 * and the callback is called once things are quiet. The end of writing counts, not its beginning: a
 * file has changed when it is closed, moved to its place or removed. Until then watch_unfinished
 * lists it, so that the load which a change leads to does not read it half-written. Runs in the
 * loop's thread; reads no file.
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

/* Watches this folder, to any depth, and these files, all absolute paths, in place of those before.
 * A file that is new among them and changed at or after since (seconds since the epoch) counts as
 * changed now: nobody was watching it while it was read. */
void watch_follow(struct watch *watch, const char *folder, const char *const *files, size_t count,
                  int64_t since);

/* Why some edits go unnoticed, in one sentence; NULL: all are noticed. */
const char *watch_problem(const struct watch *watch);

/* The files that are being written now, *count of them; the caller frees. NULL with 0. */
struct file_identity *watch_unfinished(const struct watch *watch, size_t *count);
