/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Replacing files (see file_replace.h). Everything happens in one open folder, by names in it. The
 * name of a new file begins with a dot, so the daemon passes it over, and holds the name of the
 * file that it is to become, so that what a crash leaves behind is found by the next who writes
 * that file. Callers hold a lock: no two write one file at a time.
 */
#include "forwarder/cli/file_replace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define NAME_SIZE 300 /* of a file in its folder, temporary ones too */
#define MARK ".bailiwick-"
#define TRIES 16

/* A file that is being written. */
struct writing {
    int folder;
    const char *name; /* of the file in the folder */
    char temporary[NAME_SIZE];
    int fd;
};

static bool refuse(char why[static WHY_MAX], const char *what)
{
    snprintf(why, WHY_MAX, "%s: %s", what, strerror(errno));
    return false;
}

/* ---- Reading ---- */

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

bool file_replace_open(const char *path, size_t max, struct file_replace *out,
                       char why[static WHY_MAX])
{
    struct stat after;
    *out = (struct file_replace){.path = realpath(path, NULL)};
    if (out->path == NULL || stat(out->path, &out->was) != 0) {
        refuse(why, "cannot be reached");
    } else if (file_bytes_read(AT_FDCWD, out->path, max, &out->file, why)) {
        if (stat(out->path, &after) == 0 && same_file(&out->was, &after)) {
            return true;
        }
        snprintf(why, WHY_MAX, "changed while it was read");
    }
    file_replace_fini(out);
    return false;
}

void file_replace_fini(struct file_replace *replace)
{
    free(replace->path);
    file_bytes_fini(&replace->file);
    *replace = (struct file_replace){0};
}

/* ---- Writing ---- */

static bool open_folder(const char *path, struct writing *out, char why[static WHY_MAX])
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
    *out = (struct writing){.folder = -1, .fd = -1, .name = slash == NULL ? path : slash + 1};
    if (folder != NULL) {
        out->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    free(folder);
    return out->folder >= 0 || refuse(why, "cannot open its folder");
}

/* Takes away what a crash left of this file. What cannot be taken away does no harm. */
static void sweep(const struct writing *writing)
{
    char start[NAME_SIZE];
    snprintf(start, sizeof start, ".%s" MARK, writing->name);
    int again = openat(writing->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = again < 0 ? NULL : fdopendir(again);
    if (stream == NULL) {
        if (again >= 0) {
            close(again);
        }
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(stream)) != NULL) {
        if (strncmp(entry->d_name, start, strlen(start)) == 0) {
            (void)unlinkat(writing->folder, entry->d_name, 0);
        }
    }
    closedir(stream);
}

static bool make_temporary(struct writing *writing, mode_t mode, char why[static WHY_MAX])
{
    for (unsigned i = 0; i < TRIES && writing->fd < 0; i++) {
        uint64_t number = 0;
        if (getrandom(&number, sizeof number, 0) != sizeof number) {
            break;
        }
        int len = snprintf(writing->temporary, sizeof writing->temporary, ".%s" MARK "%016llx",
                           writing->name, (unsigned long long)number);
        if (len >= (int)sizeof writing->temporary) {
            errno = ENAMETOOLONG;
            break;
        }
        writing->fd = openat(writing->folder, writing->temporary,
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    }
    return writing->fd >= 0 || refuse(why, "cannot make a file beside it");
}

static bool write_all(int fd, const struct file_bytes *bytes)
{
    size_t done = 0;
    while (done < bytes->size) {
        ssize_t put = write(fd, bytes->bytes + done, bytes->size - done);
        if (put < 0 && errno != EINTR) {
            return false;
        }
        done += put > 0 ? (size_t)put : 0;
    }
    return fsync(fd) == 0;
}

/* The owner may change where the operator is not root; the group may not. */
static bool keep_owner(int fd, const struct stat *was, char why[static WHY_MAX])
{
    struct stat now;
    if (fchown(fd, was->st_uid, was->st_gid) != 0 && fchown(fd, (uid_t)-1, was->st_gid) != 0 &&
        (fstat(fd, &now) != 0 || now.st_gid != was->st_gid)) {
        return refuse(why, "cannot keep the group of the file");
    }
    return fchmod(fd, was->st_mode & 0777U) == 0 || refuse(why, "cannot keep the mode of the file");
}

static bool is_still(const struct writing *writing, const struct stat *was,
                     char why[static WHY_MAX])
{
    struct stat now;
    if (fstatat(writing->folder, writing->name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
        same_file(&now, was)) {
        return true;
    }
    snprintf(why, WHY_MAX, "was changed by somebody else meanwhile; nothing was written");
    return false;
}

/* Ends the writing, whatever became of it. Once the new file has its name, temporary is empty. */
static void finish(struct writing *writing)
{
    if (writing->fd >= 0) {
        close(writing->fd);
        if (writing->temporary[0] != '\0') {
            (void)unlinkat(writing->folder, writing->temporary, 0);
        }
    }
    if (writing->folder >= 0) {
        close(writing->folder);
    }
}

/* A rename is safe from a power cut only once the folder is on disk. */
static bool sync_folder(struct writing *writing, char why[static WHY_MAX])
{
    writing->temporary[0] = '\0';
    return fsync(writing->folder) == 0 || refuse(why, "written, but its folder cannot be synced");
}

bool file_replace_write(const struct file_replace *replace, const struct file_bytes *bytes,
                        char why[static WHY_MAX])
{
    struct writing writing;
    bool done = false;
    if (open_folder(replace->path, &writing, why)) {
        sweep(&writing);
        done = make_temporary(&writing, 0600, why) && keep_owner(writing.fd, &replace->was, why) &&
               (write_all(writing.fd, bytes) || refuse(why, "cannot write")) &&
               is_still(&writing, &replace->was, why) &&
               (renameat(writing.folder, writing.temporary, writing.folder, writing.name) == 0 ||
                refuse(why, "cannot write")) &&
               sync_folder(&writing, why);
    }
    finish(&writing);
    return done;
}

/* Gives the new file its name if nothing has it. */
static bool name_new(const struct writing *writing)
{
    if (renameat2(writing->folder, writing->temporary, writing->folder, writing->name,
                  RENAME_NOREPLACE) == 0) {
        return true;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return false;
    }
    /* A file system that cannot do that can most likely link. */
    return linkat(writing->folder, writing->temporary, writing->folder, writing->name, 0) == 0 &&
           unlinkat(writing->folder, writing->temporary, 0) == 0;
}

bool file_replace_create(const char *path, const struct file_bytes *bytes, char why[static WHY_MAX])
{
    struct writing writing;
    bool done = false;
    if (open_folder(path, &writing, why)) {
        sweep(&writing);
        done = make_temporary(&writing, 0666, why) &&
               (write_all(writing.fd, bytes) || refuse(why, "cannot write")) &&
               (name_new(&writing) || refuse(why, "cannot write")) && sync_folder(&writing, why);
    }
    finish(&writing);
    return done;
}
