/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The walk below one open folder: every step goes through a descriptor of the folder above and
 * follows no link to another folder, so a path that changes meanwhile cannot lead the walk out or
 * into a circle. Opens folders only; what the files hold is for others.
 */
#include "policy/order_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FOLDER (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

struct folder_walk {
    const char *root; /* for problems */
    struct order_folder *out;
    size_t capacity;
    struct problem_list *problems;
    bool out_of_memory; /* the walk ends, and there is no result */
};

/* A folder on the way. */
struct folder_step {
    int descriptor;
    const char *path; /* below the root; "" for the root itself */
    struct order_folder_scope scope;
    unsigned depth; /* 0: the root */
};

static void say(struct folder_walk *walk, const char *path, const char *what)
{
    char *file = NULL;
    if (asprintf(&file, "%s%s%s", walk->root, *path != '\0' ? "/" : "", path) < 0) {
        walk->out_of_memory = true;
        return;
    }
    problem_list_add(walk->problems, PROBLEM_ERROR, file, 0, 0, "%s", what);
    free(file);
}

static void say_errno(struct folder_walk *walk, const char *path, const char *what, int error)
{
    char text[WHY_MAX];
    snprintf(text, sizeof text, "%s: %s", what, strerror(error));
    say(walk, path, text);
}

static bool passed_over(const char *name)
{
    return name[0] == '.' || name[strlen(name) - 1] == '~';
}

static bool names_an_order(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* ---- Entries ---- */

static bool entries_reserve(struct folder_walk *walk)
{
    struct order_folder *out = walk->out;
    if (out->count < walk->capacity) {
        return true;
    }
    size_t capacity = walk->capacity == 0 ? 64 : walk->capacity * 2;
    struct order_folder_entry *entries = reallocarray(out->entries, capacity, sizeof *entries);
    if (entries == NULL) {
        return false;
    }
    out->entries = entries;
    walk->capacity = capacity;
    return true;
}

static void take_file(struct folder_walk *walk, const struct folder_step *step, const char *path)
{
    if (step->depth == 0 && names_an_order(path)) {
        say(walk, path, "an order lies in the folder of a country or a group, not beside them");
        return;
    }
    char *copy = strdup(path);
    if (copy == NULL || !entries_reserve(walk)) {
        free(copy);
        walk->out_of_memory = true;
        return;
    }
    walk->out->entries[walk->out->count++] = (struct order_folder_entry){
        .path = copy,
        .scope = step->scope,
        .is_order = names_an_order(path),
    };
}

/* ---- Folders ---- */

static bool walk_folder(struct folder_walk *walk, const struct folder_step *step);

/* Goes into a folder, if it may lie here. */
static void enter(struct folder_walk *walk, const struct folder_step *above, const char *name,
                  const char *path)
{
    char why[WHY_MAX];
    struct folder_step step = {.path = path, .scope = above->scope, .depth = above->depth + 1};
    if (above->depth == 0 && !order_folder_scope_parse(name, &step.scope, why)) {
        say(walk, path, why);
        return;
    }
    if (step.depth > ORDER_FOLDER_DEPTH) {
        say(walk, path, "this folder lies too deep");
        return;
    }
    step.descriptor = openat(above->descriptor, name, OPEN_FOLDER | O_NOFOLLOW);
    if (step.descriptor < 0) {
        say_errno(walk, path, "cannot open this folder", errno);
        return;
    }
    (void)walk_folder(walk, &step); /* what it could not read it has said, and the walk goes on */
    close(step.descriptor);
}

enum folder_kind {
    FOLDER_FILE,
    FOLDER_FOLDER,
    FOLDER_LINK, /* a symbolic link to a folder */
    FOLDER_GONE, /* errno says why it cannot be looked at */
};

static enum folder_kind look_at(int descriptor, const char *name)
{
    struct stat self;
    struct stat target;
    if (fstatat(descriptor, name, &self, AT_SYMLINK_NOFOLLOW) != 0) {
        return FOLDER_GONE;
    }
    if (S_ISDIR(self.st_mode)) {
        return FOLDER_FOLDER;
    }
    bool is_link = S_ISLNK(self.st_mode) && fstatat(descriptor, name, &target, 0) == 0 &&
                   S_ISDIR(target.st_mode);
    return is_link ? FOLDER_LINK : FOLDER_FILE;
}

static void take(struct folder_walk *walk, const struct folder_step *step, const char *name)
{
    char *path = NULL;
    if (asprintf(&path, "%s%s%s", step->path, *step->path != '\0' ? "/" : "", name) < 0) {
        walk->out_of_memory = true;
        return;
    }
    switch (look_at(step->descriptor, name)) {
    case FOLDER_FILE:
        take_file(walk, step, path);
        break;
    case FOLDER_FOLDER:
        enter(walk, step, name, path);
        break;
    case FOLDER_LINK:
        say(walk, path, "a symbolic link to a folder is not followed here");
        break;
    case FOLDER_GONE:
        say_errno(walk, path, "cannot look at this", errno);
        break;
    }
    free(path);
}

/* The folder read from its beginning; the caller's descriptor stays his own. */
static DIR *open_stream(int descriptor)
{
    int again = openat(descriptor, ".", OPEN_FOLDER);
    if (again < 0) {
        return NULL;
    }
    DIR *stream = fdopendir(again);
    if (stream == NULL) {
        close(again);
    }
    return stream;
}

/* False if this folder itself could not be read to its end. */
static bool walk_folder(struct folder_walk *walk, const struct folder_step *step)
{
    DIR *stream = open_stream(step->descriptor);
    if (stream == NULL) {
        say_errno(walk, step->path, "cannot read this folder", errno);
        return false;
    }
    int error = 0;
    while (!walk->out_of_memory) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (entry == NULL) {
            error = errno;
            break;
        }
        if (!passed_over(entry->d_name)) {
            take(walk, step, entry->d_name);
        }
    }
    closedir(stream);
    if (error != 0) {
        say_errno(walk, step->path, "cannot read this folder", error);
    }
    return error == 0;
}

static int entry_compare(const void *a, const void *b)
{
    const struct order_folder_entry *left = a;
    const struct order_folder_entry *right = b;
    return strcmp(left->path, right->path);
}

bool order_folder_read(const char *root, struct order_folder *out, struct problem_list *problems)
{
    struct folder_walk walk = {.root = root, .out = out, .problems = problems};
    *out = (struct order_folder){.descriptor = open(root, OPEN_FOLDER)};
    if (out->descriptor < 0) {
        say_errno(&walk, "", "cannot open the folder of orders", errno);
        return false;
    }
    struct folder_step step = {.descriptor = out->descriptor, .path = ""};
    bool whole = walk_folder(&walk, &step);
    if (walk.out_of_memory) {
        problem_list_add(problems, PROBLEM_ERROR, root, 0, 0, "out of memory");
    }
    if (!whole || walk.out_of_memory) {
        order_folder_fini(out);
        return false;
    }
    if (out->count > 0) {
        qsort(out->entries, out->count, sizeof *out->entries, entry_compare);
    }
    return true;
}

void order_folder_fini(struct order_folder *folder)
{
    for (size_t i = 0; i < folder->count; i++) {
        free(folder->entries[i].path);
    }
    free(folder->entries);
    if (folder->descriptor >= 0) {
        close(folder->descriptor);
    }
    *folder = (struct order_folder){.descriptor = -1};
}
