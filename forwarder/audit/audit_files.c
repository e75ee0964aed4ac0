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

#define SUFFIX ".jsonl"
#define DIGITS 8U

/* More than any file has: one ends soon after 16 MiB and what was in force when it began. */
#define SIZE_MAX_READ (1LL << 30)

/* The number in a file's name; 0: it is no file of the record. */
static unsigned number_of(const char *name)
{
    if (strspn(name, "0123456789") != DIGITS || strcmp(name + DIGITS, SUFFIX) != 0) {
        return 0;
    }
    return (unsigned)strtoul(name, NULL, 10);
}

static int by_number(const void *a, const void *b)
{
    unsigned left = *(const unsigned *)a;
    unsigned right = *(const unsigned *)b;
    return (left > right) - (left < right);
}

static bool add(struct audit_files *files, unsigned number)
{
    unsigned *numbers = realloc(files->numbers, (files->count + 1) * sizeof *numbers);
    if (numbers == NULL) {
        return false;
    }
    numbers[files->count++] = number;
    files->numbers = numbers;
    return true;
}

bool audit_files_list(const char *folder, struct audit_files *out, char why[static WHY_MAX])
{
    *out = (struct audit_files){0};
    DIR *directory = opendir(folder);
    if (directory == NULL) {
        snprintf(why, WHY_MAX, "cannot be opened: %s", strerror(errno));
        return false;
    }
    bool whole = true;
    for (struct dirent *entry; whole && (entry = readdir(directory)) != NULL;) {
        unsigned number = number_of(entry->d_name);
        whole = number == 0 || add(out, number);
    }
    closedir(directory);
    if (!whole) {
        snprintf(why, WHY_MAX, "out of memory");
        audit_files_fini(out);
        return false;
    }
    if (out->count > 0) {
        qsort(out->numbers, out->count, sizeof *out->numbers, by_number);
    }
    return true;
}

void audit_files_fini(struct audit_files *files)
{
    free(files->numbers);
    *files = (struct audit_files){0};
}

char *audit_files_path(const char *folder, unsigned number)
{
    char *path;
    return asprintf(&path, "%s/%0*u" SUFFIX, folder, (int)DIGITS, number) < 0 ? NULL : path;
}

/* How much there is, at a moment at which nobody writes. */
static bool measure(int descriptor, size_t *size)
{
    struct stat state;
    if (flock(descriptor, LOCK_SH) != 0 || fstat(descriptor, &state) != 0) {
        return false;
    }
    (void)flock(descriptor, LOCK_UN); /* a file only grows: what is there stays */
    errno = EFBIG;
    *size = (size_t)state.st_size;
    return state.st_size <= SIZE_MAX_READ;
}

static char *read_all(int descriptor, size_t size)
{
    char *bytes = malloc(size + 1);
    size_t got = 0;
    while (bytes != NULL && got < size) {
        ssize_t more = read(descriptor, bytes + got, size - got);
        if (more <= 0) {
            errno = more == 0 ? EIO : errno;
            free(bytes);
            return NULL;
        }
        got += (size_t)more;
    }
    return bytes;
}

char *audit_files_read(const char *path, size_t *size, char why[static WHY_MAX])
{
    char *bytes = NULL;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) {
        snprintf(why, WHY_MAX, "cannot be opened: %s", strerror(errno));
        return NULL;
    }
    if (measure(descriptor, size)) {
        bytes = read_all(descriptor, *size);
    }
    if (bytes == NULL) {
        snprintf(why, WHY_MAX, "cannot be read: %s", strerror(errno));
    }
    close(descriptor);
    return bytes;
}
