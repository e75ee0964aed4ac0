/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A folder of its own for a test, and files in it. Everything asserts: a test that cannot write its
 * files has nothing to say.
 */
#pragma once

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRATCH_PATH_MAX 256

struct scratch {
    char folder[SCRATCH_PATH_MAX / 2];
};

static inline void scratch_init(struct scratch *scratch)
{
    const char *parent = getenv("TMPDIR");
    snprintf(scratch->folder, sizeof scratch->folder, "%s/bailiwick-test-XXXXXX",
             parent == NULL ? "/tmp" : parent);
    ck_assert_ptr_nonnull(mkdtemp(scratch->folder));
}

static inline int scratch_remove_one(const char *path, const struct stat *state, int type,
                                     struct FTW *walk)
{
    (void)state;
    (void)type;
    (void)walk;
    return remove(path);
}

static inline void scratch_fini(struct scratch *scratch)
{
    ck_assert_int_eq(nftw(scratch->folder, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* The path of a name in the folder. Returns out. */
static inline char *scratch_path(const struct scratch *scratch, const char *name,
                                 char out[static SCRATCH_PATH_MAX])
{
    int length = snprintf(out, SCRATCH_PATH_MAX, "%s/%s", scratch->folder, name);
    ck_assert_int_lt(length, SCRATCH_PATH_MAX);
    return out;
}

/* Writes over path in place, as an editor or cp does, cutting off what was there. */
static inline void scratch_write(const char *path, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    ck_assert_int_eq(close(fd), 0);
}
