/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From what inotify reports to changes that are worth a load. Whatever changes which folders there
 * are has them looked at again at once, before the change is told, so that what lies in a new
 * folder is watched before it is read.
 */
#include "forwarder/server/watch.h"

#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forwarder/milliseconds.h"
#include "forwarder/monotonic.h"
#include "forwarder/server/watch_paths.h"

#define EVENTS_SIZE 65536
#define READS_MAX 16 /* before the loop gets its turn again */

/* Files being written that are remembered; more at a time are not told apart from finished ones. */
#define UNFINISHED_MAX 256

struct watch {
    struct watch_timing timing;
    watch_changed_fn *changed;
    void *ctx;
    struct watch_paths *paths;
    struct event *readable;
    struct event *timer;
    bool stale; /* other folders than those watched may be there */

    struct watch_change change; /* count 0: none that is not told */
    int64_t first_ms;           /* when it began */

    char *unfinished[UNFINISHED_MAX]; /* paths */
    size_t unfinished_count;
};

/* ---- Changes ---- */

/* Sets the timer: after the quiet time, but not later than the longest. One that is due stays:
 * adding it again would put it off. */
static void await_quiet(struct watch *watch)
{
    int64_t left = watch->first_ms + watch->timing.longest_ms - monotonic_ms();
    int64_t delay = left < watch->timing.quiet_ms ? left : watch->timing.quiet_ms;
    if (left <= 0 && evtimer_pending(watch->timer, NULL)) {
        return;
    }
    struct timeval after = milliseconds(delay > 0 ? (unsigned)delay : 0);
    event_add(watch->timer, &after);
}

static void note_change(struct watch *watch, const char *path)
{
    struct watch_change *change = &watch->change;
    size_t used = strlen(change->files);
    if (change->count++ == 0) {
        watch->first_ms = monotonic_ms();
    }
    if (strstr(change->files, path) == NULL && used + strlen(path) + 3 < sizeof change->files) {
        snprintf(change->files + used, sizeof change->files - used, "%s%s", used > 0 ? ", " : "",
                 path);
    }
    await_quiet(watch);
}

static void on_quiet(evutil_socket_t descriptor, short what, void *ctx)
{
    struct watch *watch = ctx;
    const struct watch_change change = watch->change;
    (void)descriptor;
    (void)what;
    watch->change = (struct watch_change){.count = 0};
    watch->changed(watch->ctx, &change);
}

/* ---- Files being written ---- */

static void finish(struct watch *watch, const char *path)
{
    for (size_t i = 0; i < watch->unfinished_count; i++) {
        if (strcmp(watch->unfinished[i], path) == 0) {
            free(watch->unfinished[i]);
            watch->unfinished[i] = watch->unfinished[--watch->unfinished_count];
            return;
        }
    }
}

/* Its writer is not done. A change that waits to be told waits on, within its limit. */
static void begin(struct watch *watch, const char *path)
{
    finish(watch, path);
    char *copy = watch->unfinished_count < UNFINISHED_MAX ? strdup(path) : NULL;
    if (copy != NULL) {
        watch->unfinished[watch->unfinished_count++] = copy;
    }
    if (watch->change.count > 0) {
        await_quiet(watch);
    }
}

static void forget_unfinished(struct watch *watch)
{
    while (watch->unfinished_count > 0) {
        free(watch->unfinished[--watch->unfinished_count]);
    }
}

struct file_identity *watch_unfinished(const struct watch *watch, size_t *count)
{
    struct file_identity *files = calloc(watch->unfinished_count + 1, sizeof *files);
    *count = 0;
    for (size_t i = 0; files != NULL && i < watch->unfinished_count; i++) {
        *count += file_identity_of(AT_FDCWD, watch->unfinished[i], &files[*count]);
    }
    return files;
}

/* ---- Events ---- */

/* A file that appeared: a link is whole, and so is one that was made elsewhere; one that is empty
 * has just been opened. */
static void on_appeared(struct watch *watch, const char *path)
{
    struct stat status;
    if (lstat(path, &status) != 0) {
        return; /* gone again, which is told too */
    }
    if (S_ISREG(status.st_mode) && status.st_size == 0) {
        begin(watch, path);
        return;
    }
    watch->stale = watch->stale || S_ISLNK(status.st_mode);
    note_change(watch, path);
}

static void on_file(struct watch *watch, const char *path, uint32_t mask)
{
    struct stat status;
    if ((mask & IN_CREATE) != 0) {
        on_appeared(watch, path);
    } else if ((mask & IN_MODIFY) != 0) {
        begin(watch, path);
    } else if ((mask & IN_ATTRIB) != 0) {
        note_change(watch, path);
    } else {
        /* Closed, moved here, moved away or deleted. A link may lead elsewhere now. */
        finish(watch, path);
        watch->stale = watch->stale || ((mask & IN_CLOSE_WRITE) == 0 &&
                                        (lstat(path, &status) != 0 || S_ISLNK(status.st_mode)));
        note_change(watch, path);
    }
}

static void on_folder(struct watch *watch, const char *path)
{
    watch->stale = true;
    note_change(watch, path[0] == '\0' ? "/" : path);
}

static void on_event(struct watch *watch, const struct inotify_event *event)
{
    char path[PATH_MAX];
    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        forget_unfinished(watch);
        on_folder(watch, "more than the system could tell");
        return;
    }
    const struct watch_folder *folder = watch_paths_find(watch->paths, event->wd);
    if (folder == NULL) {
        return;
    }
    if (event->len == 0) {
        if ((event->mask & IN_ATTRIB) == 0 || folder->tree) {
            on_folder(watch, folder->path);
        }
        return;
    }
    const struct watch_name *name = watch_folder_name(folder, event->name);
    if (name == NULL) {
        return;
    }
    int put = snprintf(path, sizeof path, "%s/%s", folder->path, event->name);
    if (put < 0 || (size_t)put >= sizeof path) {
        return;
    }
    if (!name->file || (event->mask & IN_ISDIR) != 0) {
        on_folder(watch, path);
    } else {
        on_file(watch, path, event->mask);
    }
}

static void on_events(struct watch *watch, const char *bytes, size_t size)
{
    struct inotify_event event;
    for (size_t at = 0; at + sizeof event <= size; at += sizeof event + event.len) {
        memcpy(&event, bytes + at, sizeof event);
        on_event(watch, (const struct inotify_event *)(const void *)(bytes + at));
    }
}

static void on_readable(evutil_socket_t descriptor, short what, void *ctx)
{
    struct watch *watch = ctx;
    alignas(struct inotify_event) char bytes[EVENTS_SIZE];
    (void)what;
    for (unsigned i = 0; i < READS_MAX; i++) {
        ssize_t size = read(descriptor, bytes, sizeof bytes);
        if (size <= 0) {
            break;
        }
        on_events(watch, bytes, (size_t)size);
    }
    if (watch->stale) {
        watch->stale = false;
        watch_paths_sync(watch->paths);
    }
}

/* ---- Life ---- */

struct watch *watch_new(struct event_base *base, const struct watch_timing *timing,
                        watch_changed_fn *changed, void *ctx, char why[static WHY_MAX])
{
    struct watch *watch = calloc(1, sizeof *watch);
    snprintf(why, WHY_MAX, "out of memory");
    if (watch == NULL) {
        return NULL;
    }
    watch->timing = *timing;
    watch->changed = changed;
    watch->ctx = ctx;
    watch->paths = watch_paths_new(why);
    if (watch->paths == NULL) {
        goto fail;
    }
    watch->timer = evtimer_new(base, on_quiet, watch);
    watch->readable = event_new(base, watch_paths_descriptor(watch->paths), EV_READ | EV_PERSIST,
                                on_readable, watch);
    if (watch->timer == NULL || watch->readable == NULL || event_add(watch->readable, NULL) != 0) {
        goto fail;
    }
    return watch;
fail:
    watch_free(watch);
    return NULL;
}

void watch_free(struct watch *watch)
{
    if (watch == NULL) {
        return;
    }
    if (watch->readable != NULL) {
        event_free(watch->readable);
    }
    if (watch->timer != NULL) {
        event_free(watch->timer);
    }
    forget_unfinished(watch);
    watch_paths_free(watch->paths);
    free(watch);
}

void watch_follow(struct watch *watch, const char *folder, const char *const *files, size_t count,
                  int64_t since)
{
    struct stat status;
    for (size_t i = 0; i < count; i++) {
        if (!watch_paths_wants(watch->paths, files[i]) && stat(files[i], &status) == 0 &&
            status.st_ctim.tv_sec >= since) {
            note_change(watch, files[i]);
        }
    }
    if (!watch_paths_want(watch->paths, folder, files, count)) {
        note_change(watch, folder); /* no memory: again with the next load */
    }
    watch_paths_sync(watch->paths);
}

const char *watch_problem(const struct watch *watch)
{
    return watch_paths_problem(watch->paths);
}
