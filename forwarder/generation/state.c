/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Last good versions: reading and removing. What is read back is trusted no further than its
 * digests go: a part whose bytes are not those that meta.json names is damaged, and so is the
 * version.
 */
#include "forwarder/generation/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forwarder/generation/state_folder.h"
#include "geo/file_stream.h"

enum state_outcome state_read(const struct state_key *key, struct state_version *out,
                              char why[static WHY_MAX])
{
    *out = (struct state_version){0};
    char *folder = state_folder_of(key);
    if (folder == NULL) {
        state_folder_refuse(why, "cannot read", key->root);
        return STATE_DAMAGED;
    }
    enum state_outcome outcome = state_folder_read(folder, out, why);
    if (outcome == STATE_KEPT && strcmp(out->path, key->path) != 0) {
        snprintf(why, WHY_MAX, "%s is damaged: it holds %s", folder, out->path);
        state_version_fini(out);
        outcome = STATE_DAMAGED;
    }
    free(folder);
    return outcome;
}

void state_version_fini(struct state_version *version)
{
    for (size_t i = 0; i < version->count; i++) {
        free(version->parts[i].origin);
        free(version->parts[i].file);
    }
    free(version->parts);
    free(version->path);
    free(version->id);
    *version = (struct state_version){0};
}

static bool is_as_kept(const struct state_part *part, const uint8_t *sha256,
                       char why[static WHY_MAX])
{
    if (memcmp(sha256, part->sha256, sizeof part->sha256) != 0) {
        snprintf(why, WHY_MAX, "%s is damaged: its SHA-256 is not the one it was kept with",
                 part->file);
        return false;
    }
    return true;
}

bool state_part_read(const struct state_part *part, struct file_bytes *out,
                     char why[static WHY_MAX])
{
    if (!file_bytes_read(AT_FDCWD, part->file, part->size, out, why)) {
        return false;
    }
    if (!is_as_kept(part, out->sha256, why)) {
        file_bytes_fini(out);
        return false;
    }
    return true;
}

bool state_part_know(const struct state_part *part, struct file_stream_known *out,
                     char why[static WHY_MAX])
{
    return file_stream_know(AT_FDCWD, part->file, part->size, out, why) &&
           is_as_kept(part, out->sha256, why);
}

bool state_version_is_whole(const struct state_version *version)
{
    char why[WHY_MAX];
    for (size_t i = 0; i < version->count; i++) {
        struct file_stream_known known;
        if (!state_part_know(&version->parts[i], &known, why)) {
            return false;
        }
    }
    return true;
}

bool state_remove(const struct state_key *key, char why[static WHY_MAX])
{
    char *folder = state_folder_of(key);
    char *meta = folder == NULL ? NULL : state_folder_join(folder, STATE_FOLDER_META);
    if (meta == NULL) {
        free(folder);
        return state_folder_refuse(why, "cannot remove what is kept in", key->root);
    }
    /* Without meta.json there is no version; what is left behind it is only room. */
    bool done = unlink(meta) == 0 || errno == ENOENT || errno == ENOTDIR ||
                state_folder_refuse(why, "cannot remove", meta);
    if (done) {
        state_folder_tidy(folder);
    }
    free(meta);
    free(folder);
    return done;
}

static bool append_path(char ***paths, size_t *count, char *path)
{
    char **more = reallocarray(*paths, *count + 1, sizeof *more);
    if (more == NULL) {
        free(path);
        return false;
    }
    *paths = more;
    more[(*count)++] = path;
    return true;
}

char **state_list(const char *root, const char *kind, size_t *count)
{
    char **paths = NULL;
    *count = 0;
    char *top = state_folder_join(root, kind);
    DIR *dir = top == NULL ? NULL : opendir(top);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        struct state_version version;
        char why[WHY_MAX];
        char *folder = entry->d_name[0] == '.' ? NULL : state_folder_join(top, entry->d_name);
        if (folder != NULL && state_folder_read(folder, &version, why) == STATE_KEPT) {
            append_path(&paths, count, version.path);
            version.path = NULL;
            state_version_fini(&version);
        }
        free(folder);
    }
    if (dir != NULL) {
        closedir(dir);
    }
    free(top);
    return paths;
}
