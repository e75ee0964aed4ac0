/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One kept version's folder (see state_folder.h). Invariant: what is not named by a meta.json that
 * can be read counts for nothing.
 */
#include "forwarder/generation/state_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forwarder/generation/state_meta.h"

#define META_BYTES_MAX (16U * 1024U * 1024U)

bool state_folder_refuse(char why[static WHY_MAX], const char *what, const char *path)
{
    snprintf(why, WHY_MAX, "%s %s: %s", what, path, strerror(errno));
    return false;
}

char *state_folder_join(const char *folder, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

char *state_folder_of(const struct state_key *key)
{
    char name[STATE_META_NAME_MAX], *folder;
    state_meta_folder(key->path, name);
    return asprintf(&folder, "%s/%s/%s", key->root, key->kind, name) < 0 ? NULL : folder;
}

char *state_folder_part(const char *folder, const struct state_part *part)
{
    char sha256[FILE_BYTES_HEX_MAX];
    return state_folder_join(folder, file_bytes_hex(part->sha256, sha256));
}

/* Are the parts there with the sizes they had? Their bytes are compared when they are read. */
static bool find_parts(const char *folder, struct state_version *version)
{
    for (size_t i = 0; i < version->count; i++) {
        struct state_part *part = &version->parts[i];
        struct stat status;
        part->file = state_folder_part(folder, part);
        if (part->file == NULL || stat(part->file, &status) != 0 || !S_ISREG(status.st_mode) ||
            (uintmax_t)status.st_size != part->size) {
            return false;
        }
    }
    return true;
}

enum state_outcome state_folder_read(const char *folder, struct state_version *out,
                                     char why[static WHY_MAX])
{
    *out = (struct state_version){0};
    char *meta = state_folder_join(folder, STATE_FOLDER_META);
    if (meta == NULL) {
        state_folder_refuse(why, "cannot read", folder);
        return STATE_DAMAGED;
    }
    struct file_bytes file;
    bool absent = access(meta, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
    bool read = !absent && file_bytes_read(AT_FDCWD, meta, META_BYTES_MAX, &file, why);
    free(meta);
    if (!read) {
        return absent ? STATE_ABSENT : STATE_DAMAGED;
    }
    bool whole = state_meta_parse(file.bytes, file.size, out) && find_parts(folder, out);
    file_bytes_fini(&file);
    if (!whole) {
        state_version_fini(out);
        snprintf(why, WHY_MAX, "%s is damaged", folder);
    }
    return whole ? STATE_KEPT : STATE_DAMAGED;
}

static bool is_named_by(const struct state_version *version, const char *name)
{
    char sha256[FILE_BYTES_HEX_MAX];
    for (size_t i = 0; i < version->count; i++) {
        if (strcmp(file_bytes_hex(version->parts[i].sha256, sha256), name) == 0) {
            return true;
        }
    }
    return version->count > 0 && strcmp(name, STATE_FOLDER_META) == 0;
}

void state_folder_tidy(const char *folder)
{
    struct state_version version;
    char why[WHY_MAX];
    enum state_outcome outcome = state_folder_read(folder, &version, why);
    DIR *dir = outcome == STATE_DAMAGED ? NULL : opendir(folder);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        if (!is_named_by(&version, entry->d_name)) {
            unlinkat(dirfd(dir), entry->d_name, 0); /* "." and ".." are no files and stay */
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    if (outcome == STATE_ABSENT) {
        rmdir(folder);
    }
    state_version_fini(&version);
}
