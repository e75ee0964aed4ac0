/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which folders the kernel reports on (inotify): those of a tree, to any depth, and for every path
 * that is wanted each folder on the way to it, symbolic links followed. So a link or a folder that
 * is put in the place of another is seen wherever on the way it lies, and so is a file that is not
 * there yet. What the reports mean is watch.c's business.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "geo/problem.h"

struct watch_paths;

/* A name in a folder that matters: on the way to a file, or the file itself. */
struct watch_name {
    char *name;
    bool file;
};

struct watch_folder {
    int descriptor; /* of the watch */
    char *path;     /* without symbolic links; "" is the root */
    bool tree;      /* every name in it matters */
    unsigned depth; /* below the top of the tree */
    struct watch_name *names;
    size_t name_count;
    unsigned mask;
};

/* NULL with a sentence: no memory, or the system has no inotify left. */
struct watch_paths *watch_paths_new(char why[static WHY_MAX]);
void watch_paths_free(struct watch_paths *paths); /* NULL is allowed */

/* What is readable here are struct inotify_event. */
int watch_paths_descriptor(const struct watch_paths *paths);

/* Wants this tree and these files, absolute paths, which are copied, in place of those before.
 * False, and nothing has changed, when memory is out. */
bool watch_paths_want(struct watch_paths *paths, const char *tree, const char *const *files,
                      size_t count);

/* Is it one of those files? */
bool watch_paths_wants(const struct watch_paths *paths, const char *file);

/* Walks what is there now. Each folder is watched before it is looked into, so that no change is
 * missed in between. What is watched already stays. */
void watch_paths_sync(struct watch_paths *paths);

/* Why something is not watched, one sentence, of the last sync; NULL: everything is. */
const char *watch_paths_problem(const struct watch_paths *paths);

/* The folder of a watch; NULL for one that is none any more. Valid until the next sync. */
const struct watch_folder *watch_paths_find(const struct watch_paths *paths, int descriptor);

/* The name in a folder if it matters; NULL if it does not. In a tree names that are passed over
 * when orders are read (a dot first, "~" last) do not matter. */
const struct watch_name *watch_folder_name(const struct watch_folder *folder, const char *name);
