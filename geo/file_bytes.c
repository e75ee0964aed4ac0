/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Whole files. Reading never waits for a writer (a FIFO, a device) and never believes a size that
 * does not hold.
 */
#include "geo/file_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How often, and how far apart, sealing a file is tried: for two seconds in all. */
#define SEAL_TRIES 40
#define SEAL_PAUSE_NS 50000000L

static bool refuse(char why[static WHY_MAX], const char *what)
{
    snprintf(why, WHY_MAX, "%s: %s", what, strerror(errno));
    return false;
}

static bool digest(struct file_bytes *file)
{
    return EVP_Digest(file->bytes, file->size, file->sha256, NULL, EVP_sha256(), NULL) == 1;
}

/* Reads until want bytes are there or the file ends; -1 with errno if the system refuses. */
static ssize_t read_up_to(int fd, char *bytes, size_t want)
{
    size_t have = 0;
    while (have < want) {
        ssize_t got = read(fd, bytes + have, want - have);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        have += (size_t)got;
    }
    return (ssize_t)have;
}

static bool same_state(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Fills file from an open regular file whose state was before; one byte more than its size is
 * asked for, so that a file that grows is noticed. */
static bool read_all(int fd, const struct stat *before, struct file_bytes *file,
                     char why[static WHY_MAX])
{
    size_t size = (size_t)before->st_size;
    file->bytes = malloc(size + 1);
    if (file->bytes == NULL) {
        return refuse(why, "cannot read");
    }
    ssize_t got = read_up_to(fd, file->bytes, size + 1);
    struct stat after;
    if (got < 0 || fstat(fd, &after) != 0) {
        return refuse(why, "cannot read");
    }
    if ((size_t)got != size || !same_state(before, &after)) {
        snprintf(why, WHY_MAX, "changed while it was read");
        return false;
    }
    file->bytes[size] = '\0';
    file->size = size;
    if (!digest(file)) {
        snprintf(why, WHY_MAX, "cannot compute its SHA-256");
        return false;
    }
    return true;
}

bool file_bytes_read(int dir, const char *path, size_t max, struct file_bytes *out,
                     char why[static WHY_MAX])
{
    *out = (struct file_bytes){0};
    /* Without O_NONBLOCK opening a FIFO would wait for a writer. */
    int fd = openat(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        return refuse(why, "cannot open");
    }
    bool done = false;
    struct stat before;
    if (fstat(fd, &before) != 0) {
        refuse(why, "cannot read");
    } else if (!S_ISREG(before.st_mode)) {
        snprintf(why, WHY_MAX, "not a regular file");
    } else if (before.st_size < 0 || (uintmax_t)before.st_size > max) {
        snprintf(why, WHY_MAX, "has %jd bytes, more than the %zu that are read",
                 (intmax_t)before.st_size, max);
    } else {
        done = read_all(fd, &before, out, why);
    }
    close(fd);
    if (!done) {
        file_bytes_fini(out);
    }
    return done;
}

bool file_bytes_copy(const void *bytes, size_t size, struct file_bytes *out)
{
    *out = (struct file_bytes){.bytes = malloc(size + 1)};
    if (out->bytes == NULL) {
        return false;
    }
    if (size > 0) {
        memcpy(out->bytes, bytes, size);
    }
    out->bytes[size] = '\0';
    out->size = size;
    if (!digest(out)) {
        file_bytes_fini(out);
        return false;
    }
    return true;
}

void file_bytes_fini(struct file_bytes *file)
{
    free(file->bytes);
    *file = (struct file_bytes){0};
}

char *file_bytes_hex(const uint8_t sha256[static FILE_BYTES_SHA256],
                     char out[static FILE_BYTES_HEX_MAX])
{
    static const char digit[] = "0123456789abcdef";
    for (size_t i = 0; i < FILE_BYTES_SHA256; i++) {
        out[2 * i] = digit[sha256[i] >> 4];
        out[2 * i + 1] = digit[sha256[i] & 15];
    }
    out[FILE_BYTES_HEX_MAX - 1] = '\0';
    return out;
}

bool file_bytes_put(int descriptor, const char *bytes, size_t size, char why[static WHY_MAX])
{
    while (size > 0) {
        ssize_t put = write(descriptor, bytes, size);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return refuse(why, "cannot write");
        }
        bytes += put;
        size -= (size_t)put;
    }
    return true;
}

/* The kernel refuses to seal while it holds pages of the file itself, if only to look at them
 * (compaction, monitoring): EBUSY passes. */
static bool add_seals(int fd)
{
    const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    const struct timespec pause = {.tv_nsec = SEAL_PAUSE_NS};
    for (unsigned i = 0; i < SEAL_TRIES; i++) {
        if (fcntl(fd, F_ADD_SEALS, seals) == 0) {
            return true;
        }
        if (errno != EBUSY) {
            return false;
        }
        nanosleep(&pause, NULL);
    }
    errno = EBUSY;
    return false;
}

bool file_bytes_seal(const struct file_bytes *file, int *descriptor, char why[static WHY_MAX])
{
    int fd = memfd_create("bailiwick", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        return refuse(why, "cannot make a memfd");
    }
    bool done = file_bytes_put(fd, file->bytes, file->size, why) &&
                (add_seals(fd) || refuse(why, "cannot keep a sealed copy"));
    if (!done) {
        close(fd);
        return false;
    }
    *descriptor = fd;
    return true;
}
