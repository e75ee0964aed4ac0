/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Parts are named by their contents and count for nothing until a meta.json names them, so they get
 * their own names at once; a new meta.json waits as meta.json.new until all it names is on disk.
 * What it replaces is removed last, once the rename is on disk too.
 */
#include "forwarder/generation/state_batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forwarder/generation/state_folder.h"
#include "forwarder/generation/state_meta.h"
#include "geo/file_stream.h"

#define META_NEW STATE_FOLDER_META ".new"

struct state_batch {
    char *root;
    int descriptor; /* of the root, or -1: open before anything is written, for syncfs to tell what
                     * went wrong since */
    char **folders; /* of the versions that were added */
    size_t count;
};

struct state_batch *state_batch_new(const char *root)
{
    struct state_batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL) {
        return NULL;
    }
    batch->root = strdup(root);
    batch->descriptor = -1;
    if (batch->root == NULL) {
        free(batch);
        return NULL;
    }
    return batch;
}

/* Removes what the versions that are kept now do not name. */
static void tidy(const struct state_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        state_folder_tidy(batch->folders[i]);
    }
}

static void empty(struct state_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        free(batch->folders[i]);
    }
    free(batch->folders);
    batch->folders = NULL;
    batch->count = 0;
}

void state_batch_free(struct state_batch *batch)
{
    if (batch != NULL) {
        tidy(batch);
        empty(batch);
        if (batch->descriptor >= 0) {
            close(batch->descriptor);
        }
        free(batch->root);
        free(batch);
    }
}

/* ---- Writing ---- */

/* Makes each folder on the way to path that is not there, and path itself. */
static bool make_folders(const char *path, char why[static WHY_MAX])
{
    char *partial = strdup(path);
    bool done = partial != NULL;
    for (char *slash = partial; done && slash != NULL;) {
        slash = strchr(slash + 1, '/');
        if (slash != NULL) {
            *slash = '\0';
        }
        done = mkdir(partial, 0750) == 0 || errno == EEXIST;
        if (slash != NULL) {
            *slash = '/';
        }
    }
    free(partial);
    return done || state_folder_refuse(why, "cannot make", path);
}

static bool open_root(struct state_batch *batch, char why[static WHY_MAX])
{
    if (batch->descriptor < 0) {
        batch->descriptor = open(batch->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    return batch->descriptor >= 0 || state_folder_refuse(why, "cannot open", batch->root);
}

/* A new file in the place of whatever has its name; -1 with a sentence. */
static int make_file(const char *path, char why[static WHY_MAX])
{
    unlink(path);
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (descriptor < 0) {
        state_folder_refuse(why, "cannot make", path);
    }
    return descriptor;
}

/* Is it written? Closes it either way. */
static bool end_file(int descriptor, bool written, const char *path, char why[static WHY_MAX])
{
    bool ended = written && (fchmod(descriptor, 0640) == 0 ||
                             state_folder_refuse(why, "cannot write", path)); /* whatever umask */
    return (close(descriptor) == 0 || state_folder_refuse(why, "cannot write", path)) && ended;
}

/* Writes a part unless it is there already. */
static bool write_part(const char *folder, const struct state_part *part, char why[static WHY_MAX])
{
    struct state_part there = *part;
    there.file = state_folder_part(folder, part);
    if (there.file == NULL) {
        return state_folder_refuse(why, "cannot write to", folder);
    }
    const struct state_version alone = {.parts = &there, .count = 1};
    bool done = state_version_is_whole(&alone);
    int descriptor = done ? -1 : make_file(there.file, why);
    if (descriptor >= 0) {
        done = part->source != NULL ? file_stream_copy(part->source, descriptor, why)
                                    : file_bytes_put(descriptor, part->bytes, part->size, why);
        done = end_file(descriptor, done, there.file, why);
    }
    free(there.file);
    return done;
}

static bool write_meta(const char *folder, const char *path, const struct state_version *version,
                       char why[static WHY_MAX])
{
    char *text = state_meta_format(path, version);
    char *file = state_folder_join(folder, META_NEW);
    int descriptor = -1;
    bool done = false;
    if (text == NULL || file == NULL) {
        snprintf(why, WHY_MAX, "cannot describe what is kept in %s", folder);
    } else if ((descriptor = make_file(file, why)) >= 0) {
        done = file_bytes_put(descriptor, text, strlen(text), why);
        done = end_file(descriptor, done, file, why);
    }
    free(file);
    free(text);
    return done;
}

/* Takes over the folder. */
static bool append(struct state_batch *batch, char *folder)
{
    char **more = reallocarray(batch->folders, batch->count + 1, sizeof *more);
    if (more != NULL) {
        batch->folders = more;
        more[batch->count++] = folder;
    }
    return more != NULL;
}

bool state_batch_add(struct state_batch *batch, const struct state_key *key,
                     const struct state_version *version, char why[static WHY_MAX])
{
    char *folder = state_folder_of(key);
    if (folder == NULL) {
        return state_folder_refuse(why, "cannot write to", key->root);
    }
    bool done = make_folders(folder, why) && open_root(batch, why);
    for (size_t i = 0; done && i < version->count; i++) {
        done = write_part(folder, &version->parts[i], why);
    }
    done = done && write_meta(folder, key->path, version, why) &&
           (append(batch, folder) || state_folder_refuse(why, "cannot write to", folder));
    if (!done) {
        state_folder_tidy(folder);
        free(folder);
    }
    return done;
}

/* ---- Committing ---- */

/* Everything below the state folder, on disk. Other files of the same file system are put there
 * too: that takes longer at times, and nobody waits for it. */
static bool put_on_disk(const struct state_batch *batch, char why[static WHY_MAX])
{
    return syncfs(batch->descriptor) == 0 || state_folder_refuse(why, "cannot sync", batch->root);
}

static bool rename_meta(const char *folder, char why[static WHY_MAX])
{
    char *from = state_folder_join(folder, META_NEW);
    char *to = state_folder_join(folder, STATE_FOLDER_META);
    bool done = from != NULL && to != NULL && rename(from, to) == 0;
    if (!done) {
        state_folder_refuse(why, "cannot write to", folder);
    }
    free(from);
    free(to);
    return done;
}

/* Returns how many could not be. */
static size_t rename_all(const struct state_batch *batch, char why[static WHY_MAX])
{
    size_t failures = 0;
    for (size_t i = 0; i < batch->count; i++) {
        char reason[WHY_MAX];
        if (!rename_meta(batch->folders[i], reason) && failures++ == 0) {
            snprintf(why, WHY_MAX, "%s", reason);
        }
    }
    return failures;
}

size_t state_batch_commit(struct state_batch *batch, char why[static WHY_MAX])
{
    size_t failures = batch->count;
    if (batch->count == 0) {
        return 0;
    }
    if (!put_on_disk(batch, why)) {
        tidy(batch);
    } else {
        size_t unnamed = rename_all(batch, why);
        if (put_on_disk(batch, why)) {
            failures = unnamed;
            tidy(batch);
        } /* else parts of both versions stay: it is not known which meta.json is on disk */
    }
    empty(batch);
    return failures;
}
