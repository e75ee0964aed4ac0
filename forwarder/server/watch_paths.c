/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Watches of folders. A path is gone along component by component; the folder that holds a
 * component is watched for its name first, and then the name is looked at. A component that is a
 * symbolic link is replaced by its target. Invariant: the path of a folder here holds no symbolic
 * link, and each watch of the inotify instance is that of one folder here.
 */
#include "forwarder/server/watch_paths.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/order_folder.h"

#define LINKS_MAX 40 /* as the kernel follows */

/* Something takes or leaves the place of a name. */
#define PLACE (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF)
/* And of the contents behind it. */
#define CONTENTS (PLACE | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB)

struct watch_paths {
    int descriptor;
    char **wanted; /* the tree first */
    size_t wanted_count;
    struct watch_folder *folders; /* by descriptor, once a sync is over */
    size_t count;
    size_t capacity;
    char problem[WHY_MAX];
};

struct watch_paths *watch_paths_new(char why[static WHY_MAX])
{
    struct watch_paths *paths = calloc(1, sizeof *paths);
    if (paths == NULL) {
        snprintf(why, WHY_MAX, "out of memory");
        return NULL;
    }
    paths->descriptor = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (paths->descriptor < 0) {
        snprintf(why, WHY_MAX, "inotify: %s%s", strerror(errno),
                 errno == EMFILE ? " (fs.inotify.max_user_instances)" : "");
        free(paths);
        return NULL;
    }
    return paths;
}

static void free_folder(struct watch_folder *folder)
{
    for (size_t i = 0; i < folder->name_count; i++) {
        free(folder->names[i].name);
    }
    free(folder->names);
    free(folder->path);
}

static void free_wanted(char **wanted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(wanted[i]);
    }
    free(wanted);
}

void watch_paths_free(struct watch_paths *paths)
{
    if (paths == NULL) {
        return;
    }
    for (size_t i = 0; i < paths->count; i++) {
        free_folder(&paths->folders[i]);
    }
    free(paths->folders);
    free_wanted(paths->wanted, paths->wanted_count);
    close(paths->descriptor);
    free(paths);
}

int watch_paths_descriptor(const struct watch_paths *paths)
{
    return paths->descriptor;
}

bool watch_paths_want(struct watch_paths *paths, const char *tree, const char *const *files,
                      size_t count)
{
    char **wanted = calloc(count + 1, sizeof(char *));
    bool whole = wanted != NULL && (wanted[0] = strdup(tree)) != NULL;
    for (size_t i = 0; whole && i < count; i++) {
        whole = (wanted[i + 1] = strdup(files[i])) != NULL;
    }
    if (!whole) {
        free_wanted(wanted, wanted == NULL ? 0 : count + 1);
        return false;
    }
    free_wanted(paths->wanted, paths->wanted_count);
    paths->wanted = wanted;
    paths->wanted_count = count + 1;
    return true;
}

/* ---- What is being watched ---- */

/* Keeps the first reason. */
static void say(struct watch_paths *paths, const char *path, int error)
{
    if (paths->problem[0] == '\0') {
        snprintf(paths->problem, sizeof paths->problem, "%.200s: %s", path[0] == '\0' ? "/" : path,
                 error == ENOSPC ? "no watch is left (fs.inotify.max_user_watches)"
                                 : strerror(error));
    }
}

static struct watch_folder *find_path(const struct watch_paths *paths, const char *path)
{
    for (size_t i = 0; i < paths->count; i++) {
        if (strcmp(paths->folders[i].path, path) == 0) {
            return &paths->folders[i];
        }
    }
    return NULL;
}

static struct watch_folder *append(struct watch_paths *paths, const char *path)
{
    if (paths->count == paths->capacity) {
        size_t capacity = paths->capacity * 2 + 16;
        struct watch_folder *more = reallocarray(paths->folders, capacity, sizeof *more);
        if (more == NULL) {
            return NULL;
        }
        paths->folders = more;
        paths->capacity = capacity;
    }
    struct watch_folder *folder = &paths->folders[paths->count];
    *folder = (struct watch_folder){.descriptor = -1, .path = strdup(path)};
    paths->count += folder->path != NULL;
    return folder->path == NULL ? NULL : folder;
}

/* Has a folder watched; NULL if that cannot be, with errno. Where the way to a path leads through
 * it only, it may be closed to us or not there. */
static struct watch_folder *watch_folder(struct watch_paths *paths, const char *path, unsigned mask)
{
    struct watch_folder *folder = find_path(paths, path);
    if (folder == NULL && (folder = append(paths, path)) == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    if ((folder->mask & mask) == mask) {
        return folder;
    }
    int descriptor = inotify_add_watch(paths->descriptor, path[0] == '\0' ? "/" : path,
                                       mask | IN_MASK_ADD | IN_ONLYDIR | IN_DONT_FOLLOW);
    if (descriptor < 0) {
        return NULL;
    }
    folder->descriptor = descriptor;
    folder->mask |= mask;
    return folder;
}

static bool add_name(struct watch_folder *folder, const char *name, bool file)
{
    for (size_t i = 0; i < folder->name_count; i++) {
        if (strcmp(folder->names[i].name, name) == 0) {
            folder->names[i].file = folder->names[i].file || file;
            return true;
        }
    }
    struct watch_name *more = reallocarray(folder->names, folder->name_count + 1, sizeof *more);
    if (more == NULL) {
        return false;
    }
    folder->names = more;
    more[folder->name_count] = (struct watch_name){.name = strdup(name), .file = file};
    folder->name_count += more[folder->name_count].name != NULL;
    return more[folder->name_count - 1].name != NULL;
}

/* ---- Along a path ---- */

struct way {
    char done[PATH_MAX]; /* without symbolic links; "" is the root */
    char rest[PATH_MAX]; /* what is still to go, relative to it */
    unsigned links;
};

/* Takes the next component off the rest; false at the end. */
static bool next_component(struct way *way, char out[static NAME_MAX + 1])
{
    char *from = way->rest + strspn(way->rest, "/");
    size_t len = strcspn(from, "/");
    if (len == 0 || len > NAME_MAX) {
        return false;
    }
    memcpy(out, from, len);
    out[len] = '\0';
    memmove(way->rest, from + len, strlen(from + len) + 1);
    return true;
}

static bool is_last(const struct way *way)
{
    return way->rest[strspn(way->rest, "/")] == '\0';
}

static void step_up(struct way *way)
{
    char *slash = strrchr(way->done, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
}

/* Puts a link's target in front of the rest. */
static bool follow_link(struct way *way, const char *path)
{
    char target[PATH_MAX], rest[PATH_MAX];
    ssize_t size = readlink(path, target, sizeof target - 1);
    if (size < 0 || ++way->links > LINKS_MAX) {
        return false;
    }
    target[size] = '\0';
    int put = snprintf(rest, sizeof rest, "%s/%s", target, way->rest);
    if (put < 0 || (size_t)put >= sizeof rest) {
        return false;
    }
    if (target[0] == '/') {
        way->done[0] = '\0';
    }
    memcpy(way->rest, rest, (size_t)put + 1);
    return true;
}

/* One component of the way: its folder is watched for it, then it is looked at. False where the way
 * ends early. */
static bool step(struct watch_paths *paths, struct way *way, const char *name, bool contents)
{
    char path[PATH_MAX];
    struct stat status;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        if (name[1] == '.') {
            step_up(way);
        }
        return true;
    }
    bool file = contents && is_last(way);
    struct watch_folder *folder = watch_folder(paths, way->done, file ? CONTENTS : PLACE);
    if (folder == NULL ? errno == ENOSPC || errno == ENOMEM || file
                       : !add_name(folder, name, file)) {
        say(paths, way->done, errno);
    }
    int put = snprintf(path, sizeof path, "%s/%s", way->done, name);
    if (put < 0 || (size_t)put >= sizeof path || lstat(path, &status) != 0) {
        return false;
    }
    if (S_ISLNK(status.st_mode)) {
        return follow_link(way, path);
    }
    memcpy(way->done, path, (size_t)put + 1);
    return true;
}

/* Goes along a path to its end, which is then in way->done; false if it leads nowhere by now.
 * contents: what lies there is a file that matters. */
static bool go(struct watch_paths *paths, const char *path, bool contents, struct way *way)
{
    char name[NAME_MAX + 1];
    *way = (struct way){.links = 0};
    if (strlen(path) >= sizeof way->rest) {
        return false;
    }
    memcpy(way->rest, path, strlen(path) + 1);
    while (next_component(way, name)) {
        if (!step(paths, way, name, contents)) {
            return false;
        }
    }
    return is_last(way);
}

/* ---- A tree ---- */

static bool passed_over(const char *name)
{
    return name[0] == '.' || name[strlen(name) - 1] == '~';
}

static void walk(struct watch_paths *paths, const char *path, unsigned depth);

/* Something in a folder of the tree: a folder to go into, or a link to a file elsewhere. */
static void take(struct watch_paths *paths, const char *folder, const char *name, unsigned depth)
{
    char *path = NULL;
    struct stat status;
    if (asprintf(&path, "%s/%s", folder, name) < 0) {
        say(paths, folder, ENOMEM);
        return;
    }
    if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        if (depth < ORDER_FOLDER_DEPTH) {
            walk(paths, path, depth + 1);
        }
    } else if (S_ISLNK(status.st_mode)) {
        struct way way;
        (void)go(paths, path, true, &way); /* one that leads nowhere is watched as far as it goes */
    }
    free(path);
}

static void walk(struct watch_paths *paths, const char *path, unsigned depth)
{
    struct watch_folder *folder = watch_folder(paths, path, CONTENTS);
    DIR *stream = folder == NULL ? NULL : opendir(path);
    if (stream == NULL) {
        if (errno != ENOENT) {
            say(paths, path, errno);
        }
        return;
    }
    folder->tree = true;
    folder->depth = depth;
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        if (!passed_over(entry->d_name) && entry->d_type != DT_REG) {
            take(paths, path, entry->d_name, depth);
        }
    }
    closedir(stream);
}

/* ---- All together ---- */

static int compare_descriptors(const void *a, const void *b)
{
    const struct watch_folder *left = a, *right = b;
    return left->descriptor < right->descriptor ? -1 : left->descriptor > right->descriptor;
}

static int compare_to_descriptor(const void *descriptor, const void *folder)
{
    int left = *(const int *)descriptor, right = ((const struct watch_folder *)folder)->descriptor;
    return left < right ? -1 : left > right;
}

const struct watch_folder *watch_paths_find(const struct watch_paths *paths, int descriptor)
{
    return paths->count == 0 ? NULL
                             : bsearch(&descriptor, paths->folders, paths->count,
                                       sizeof paths->folders[0], compare_to_descriptor);
}

/* Drops what could not be watched. */
static void settle(struct watch_paths *paths)
{
    size_t kept = 0;
    for (size_t i = 0; i < paths->count; i++) {
        if (paths->folders[i].descriptor < 0) {
            free_folder(&paths->folders[i]);
        } else {
            paths->folders[kept++] = paths->folders[i];
        }
    }
    paths->count = kept;
    if (kept > 0) {
        qsort(paths->folders, kept, sizeof paths->folders[0], compare_descriptors);
    }
}

void watch_paths_sync(struct watch_paths *paths)
{
    struct watch_folder *before = paths->folders;
    size_t before_count = paths->count;
    struct way way;
    paths->folders = NULL;
    paths->count = paths->capacity = 0;
    paths->problem[0] = '\0';
    for (size_t i = 0; i < paths->wanted_count; i++) {
        bool there = go(paths, paths->wanted[i], i > 0, &way);
        if (i == 0 && there) {
            walk(paths, way.done, 0);
        }
    }
    settle(paths);
    for (size_t i = 0; i < before_count; i++) {
        if (watch_paths_find(paths, before[i].descriptor) == NULL) {
            (void)inotify_rm_watch(paths->descriptor, before[i].descriptor); /* or it is gone */
        }
        free_folder(&before[i]);
    }
    free(before);
}

const char *watch_paths_problem(const struct watch_paths *paths)
{
    return paths->problem[0] == '\0' ? NULL : paths->problem;
}

bool watch_paths_wants(const struct watch_paths *paths, const char *file)
{
    for (size_t i = 1; i < paths->wanted_count; i++) {
        if (strcmp(paths->wanted[i], file) == 0) {
            return true;
        }
    }
    return false;
}

const struct watch_name *watch_folder_name(const struct watch_folder *folder, const char *name)
{
    static const struct watch_name in_tree = {.name = NULL, .file = true};
    for (size_t i = 0; i < folder->name_count; i++) {
        if (strcmp(folder->names[i].name, name) == 0) {
            return &folder->names[i];
        }
    }
    return folder->tree && !passed_over(name) ? &in_tree : NULL;
}
