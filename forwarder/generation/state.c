/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Last good versions on disk. What is read back is trusted no further than its digests go: a part
 * whose bytes are not those that meta.json names is damaged, and so is the version.
 */
#include "forwarder/generation/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forwarder/generation/state_meta.h"
#include "geo/file_stream.h"

#define META "meta.json"
#define META_BYTES_MAX (16U * 1024U * 1024U)

static bool refuse(char why[static WHY_MAX], const char *what, const char *path)
{
    snprintf(why, WHY_MAX, "%s %s: %s", what, path, strerror(errno));
    return false;
}

static char *join(const char *folder, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* The folder of a version, on the heap; NULL when memory is out. */
static char *folder_of(const struct state_key *key)
{
    char name[STATE_META_NAME_MAX], *folder;
    state_meta_folder(key->path, name);
    return asprintf(&folder, "%s/%s/%s", key->root, key->kind, name) < 0 ? NULL : folder;
}

static char *part_file(const char *folder, const struct state_part *part)
{
    char sha256[FILE_BYTES_HEX_MAX];
    return join(folder, file_bytes_hex(part->sha256, sha256));
}

/* Are the parts there with the sizes they had? Their bytes are compared when they are read. */
static bool find_parts(const char *folder, struct state_version *version)
{
    for (size_t i = 0; i < version->count; i++) {
        struct state_part *part = &version->parts[i];
        struct stat status;
        part->file = part_file(folder, part);
        if (part->file == NULL || stat(part->file, &status) != 0 || !S_ISREG(status.st_mode) ||
            (uintmax_t)status.st_size != part->size) {
            return false;
        }
    }
    return true;
}

/* Reads the version in a folder, whatever its path is. */
static enum state_outcome read_folder(const char *folder, struct state_version *out,
                                      char why[static WHY_MAX])
{
    *out = (struct state_version){0};
    char *meta = join(folder, META);
    if (meta == NULL) {
        refuse(why, "cannot read", folder);
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

enum state_outcome state_read(const struct state_key *key, struct state_version *out,
                              char why[static WHY_MAX])
{
    *out = (struct state_version){0};
    char *folder = folder_of(key);
    if (folder == NULL) {
        refuse(why, "cannot read", key->root);
        return STATE_DAMAGED;
    }
    enum state_outcome outcome = read_folder(folder, out, why);
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

/* Puts the names of a folder on disk. */
static bool sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool done = fsync(fd) == 0;
    int saved = errno;
    close(fd);
    errno = saved;
    return done;
}

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
    return done || refuse(why, "cannot make", path);
}

static bool make_version_folder(const struct state_key *key, const char *folder,
                                char why[static WHY_MAX])
{
    struct stat status;
    if (stat(folder, &status) == 0 && S_ISDIR(status.st_mode)) {
        return true;
    }
    char *kind = join(key->root, key->kind);
    bool done = kind != NULL && make_folders(folder, why) &&
                (sync_folder(kind) || refuse(why, "cannot sync", kind));
    free(kind);
    return done;
}

/* Writes a part unless it is there already. */
static bool write_part(const char *folder, const struct state_part *part, char why[static WHY_MAX])
{
    struct state_part there = *part;
    there.file = part_file(folder, part);
    if (there.file == NULL) {
        return refuse(why, "cannot write to", folder);
    }
    const struct state_version alone = {.parts = &there, .count = 1};
    bool done = state_version_is_whole(&alone) ||
                (part->source != NULL ? file_stream_copy(part->source, there.file, why)
                                      : file_bytes_write(there.file, part->bytes, part->size, why));
    free(there.file);
    return done;
}

static bool write_meta(const char *folder, const char *path, const struct state_version *version,
                       char why[static WHY_MAX])
{
    char *text = state_meta_format(path, version);
    char *file = join(folder, META);
    bool done = text != NULL && file != NULL;
    if (done) {
        done = file_bytes_write(file, text, strlen(text), why);
    } else {
        snprintf(why, WHY_MAX, "cannot describe what is kept in %s", folder);
    }
    free(file);
    free(text);
    return done;
}

static bool is_named_by(const struct state_version *version, const char *name)
{
    char sha256[FILE_BYTES_HEX_MAX];
    for (size_t i = 0; i < version->count; i++) {
        if (strcmp(file_bytes_hex(version->parts[i].sha256, sha256), name) == 0) {
            return true;
        }
    }
    return version->count > 0 && strcmp(name, META) == 0;
}

/* Removes what the version in a folder does not name: parts of the one before, and what a process
 * that was killed or a disk that was full left behind. Without a version that is everything. */
static void tidy(const char *folder)
{
    struct state_version version;
    char why[WHY_MAX];
    enum state_outcome outcome = read_folder(folder, &version, why);
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

bool state_write(const struct state_key *key, const struct state_version *version,
                 char why[static WHY_MAX])
{
    char *folder = folder_of(key);
    if (folder == NULL) {
        return refuse(why, "cannot write to", key->root);
    }
    bool done = make_version_folder(key, folder, why);
    for (size_t i = 0; done && i < version->count; i++) {
        done = write_part(folder, &version->parts[i], why);
    }
    done = done && write_meta(folder, key->path, version, why);
    tidy(folder);
    free(folder);
    return done;
}

bool state_remove(const struct state_key *key, char why[static WHY_MAX])
{
    char *folder = folder_of(key), *meta = folder == NULL ? NULL : join(folder, META);
    if (meta == NULL) {
        free(folder);
        return refuse(why, "cannot remove what is kept in", key->root);
    }
    /* Without meta.json there is no version; what is left behind it is only room. */
    bool done = unlink(meta) == 0 || errno == ENOENT || errno == ENOTDIR ||
                refuse(why, "cannot remove", meta);
    if (done) {
        tidy(folder);
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
    char *top = join(root, kind);
    DIR *dir = top == NULL ? NULL : opendir(top);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        struct state_version version;
        char why[WHY_MAX];
        char *folder = entry->d_name[0] == '.' ? NULL : join(top, entry->d_name);
        if (folder != NULL && read_folder(folder, &version, why) == STATE_KEPT) {
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
