/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Files of the audit record (see audit_files.h).
 */
#include "forwarder/audit/audit_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/list_unpack.h"

#define SUFFIX ".jsonl"
#define SUFFIX_SIZE (sizeof SUFFIX - 1)
#define DIGITS 8U

/* More than any file has: one ends soon after 16 MiB and what was in force when it began. */
#define READ_MAX (1ULL << 30)

/* The number in a file's name; 0: it is no file of the record. */
static unsigned number_of(const char *name)
{
    static const char *const endings[] = {"", ".gz", ".zst"};
    if (strspn(name, "0123456789") != DIGITS || strncmp(name + DIGITS, SUFFIX, SUFFIX_SIZE) != 0) {
        return 0;
    }
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (strcmp(name + DIGITS + SUFFIX_SIZE, endings[i]) == 0) {
            return (unsigned)strtoul(name, NULL, 10);
        }
    }
    return 0;
}

/* By number, those of this folder behind those before; one that is not packed is whole. */
static int by_number(const void *a, const void *b)
{
    const struct audit_file *left = a, *right = b;
    if (left->number != right->number) {
        return left->number > right->number ? 1 : -1;
    }
    return (int)left->packed - (int)right->packed;
}

static const struct audit_file *find(const struct audit_files *files, size_t count, unsigned number)
{
    for (size_t i = 0; i < count; i++) {
        if (files->items[i].number == number) {
            return &files->items[i];
        }
    }
    return NULL;
}

static bool add(struct audit_files *files, const char *folder, const char *name)
{
    struct audit_file file = {.number = number_of(name)};
    if (file.number == 0) {
        return true;
    }
    struct audit_file *items = realloc(files->items, (files->count + 1) * sizeof *items);
    if (items == NULL) {
        return false;
    }
    files->items = items;
    if (asprintf(&file.path, "%s/%s", folder, name) < 0) {
        return false;
    }
    file.packed = name_list_packing_of(name) != NAME_LIST_PLAIN;
    items[files->count++] = file;
    return true;
}

/* Of each number the first is enough. */
static void drop_doubles(struct audit_files *files)
{
    size_t kept = 0;
    for (size_t i = 0; i < files->count; i++) {
        if (kept > 0 && files->items[kept - 1].number == files->items[i].number) {
            free(files->items[i].path);
        } else {
            files->items[kept++] = files->items[i];
        }
    }
    files->count = kept;
}

/* Those of one folder, in their order. */
static bool list(struct audit_files *files, const char *folder, char why[static WHY_MAX])
{
    DIR *directory = opendir(folder);
    if (directory == NULL) {
        snprintf(why, WHY_MAX, "%.200s: cannot be opened: %.80s", folder, strerror(errno));
        return false;
    }
    bool whole = true;
    for (struct dirent *entry; whole && (entry = readdir(directory)) != NULL;) {
        whole = add(files, folder, entry->d_name);
    }
    closedir(directory);
    if (!whole) {
        snprintf(why, WHY_MAX, "out of memory");
        return false;
    }
    if (files->count > 0) {
        qsort(files->items, files->count, sizeof *files->items, by_number);
    }
    drop_doubles(files);
    return true;
}

bool audit_files_add(struct audit_files *files, const char *folder, char why[static WHY_MAX])
{
    struct audit_files more = {0};
    struct audit_file *items = NULL;
    if (!list(&more, folder, why)) {
        audit_files_fini(&more);
        return false;
    }
    items = realloc(files->items, (files->count + more.count + 1) * sizeof *items);
    if (items == NULL) {
        snprintf(why, WHY_MAX, "out of memory");
        audit_files_fini(&more);
        return false;
    }
    files->items = items;
    size_t before = files->count;
    for (size_t i = 0; i < more.count; i++) {
        if (find(files, before, more.items[i].number) != NULL) {
            free(more.items[i].path);
        } else {
            items[files->count++] = more.items[i];
        }
    }
    free(more.items);
    qsort(items, files->count, sizeof *items, by_number);
    return true;
}

void audit_files_fini(struct audit_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->items[i].path);
    }
    free(files->items);
    *files = (struct audit_files){0};
}

char *audit_files_path(const char *folder, unsigned number)
{
    char *path;
    return asprintf(&path, "%s/%0*u" SUFFIX, folder, (int)DIGITS, number) < 0 ? NULL : path;
}

/* A file, up to what was in it at a moment at which nobody wrote. */
struct part {
    int descriptor;
    size_t left;
};

static bool measure(struct part *part)
{
    struct stat state;
    if (flock(part->descriptor, LOCK_SH) != 0 || fstat(part->descriptor, &state) != 0) {
        return false;
    }
    (void)flock(part->descriptor, LOCK_UN); /* a file only grows: what is there stays */
    part->left = (size_t)state.st_size;
    return true;
}

/* A struct name_list_source. */
static bool read_part(void *ctx, char *out, size_t room, size_t *got, char why[static WHY_MAX])
{
    struct part *part = ctx;
    ssize_t more = read(part->descriptor, out, room < part->left ? room : part->left);
    if (more < 0 || (more == 0 && part->left > 0)) {
        snprintf(why, WHY_MAX, "cannot be read: %s", strerror(more == 0 ? EIO : errno));
        return false;
    }
    part->left -= (size_t)more;
    *got = (size_t)more;
    return true;
}

/* room: octets that are expected, which is right for a file that is not packed. */
static char *read_all(struct list_unpack *unpack, size_t room, size_t *size,
                      char why[static WHY_MAX])
{
    char *bytes = malloc(++room); /* so that the end is seen without more */
    size_t got = 1;
    snprintf(why, WHY_MAX, "out of memory");
    for (*size = 0; bytes != NULL && got > 0; *size += got) {
        if (*size == room) {
            char *more = room > READ_MAX ? NULL : realloc(bytes, 2 * room);
            if (more == NULL) {
                snprintf(why, WHY_MAX, "is too large");
                goto fail;
            }
            bytes = more;
            room *= 2;
        }
        if (!list_unpack_read(unpack, bytes + *size, room - *size, &got, why)) {
            goto fail;
        }
    }
    return bytes;
fail:
    free(bytes);
    return NULL;
}

char *audit_files_read(const char *path, size_t *size, char why[static WHY_MAX])
{
    char *bytes = NULL;
    struct part part = {.descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
    const struct name_list_source source = {read_part, &part};
    if (part.descriptor < 0) {
        snprintf(why, WHY_MAX, "cannot be opened: %s", strerror(errno));
        return NULL;
    }
    if (!measure(&part)) {
        snprintf(why, WHY_MAX, "cannot be read: %s", strerror(errno));
    } else {
        struct list_unpack *unpack = list_unpack_new(name_list_packing_of(path), &source, why);
        bytes = unpack == NULL ? NULL : read_all(unpack, part.left, size, why);
        list_unpack_free(unpack);
    }
    close(part.descriptor);
    return bytes;
}
