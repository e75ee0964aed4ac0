/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A descriptor, the state its file had when it was opened, and a digest on its way. Invariant: the
 * digest is of exactly the bytes that were handed out.
 */
#include "geo/file_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES (256U * 1024U)

struct file_stream {
    int descriptor;
    struct stat before;
    uint64_t size; /* read so far */
    EVP_MD_CTX *digest;
};

static bool refuse(char why[static WHY_MAX], const char *what)
{
    snprintf(why, WHY_MAX, "%s: %s", what, strerror(errno));
    return false;
}

static bool is_readable(const struct stat *status, uint64_t max, char why[static WHY_MAX])
{
    if (!S_ISREG(status->st_mode)) {
        snprintf(why, WHY_MAX, "not a regular file");
        return false;
    }
    if (status->st_size < 0 || (uint64_t)status->st_size > max) {
        snprintf(why, WHY_MAX, "has %jd bytes, more than the %ju that are read",
                 (intmax_t)status->st_size, (uintmax_t)max);
        return false;
    }
    return true;
}

struct file_stream *file_stream_open(int dir, const char *path, uint64_t max,
                                     char why[static WHY_MAX])
{
    struct file_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        snprintf(why, WHY_MAX, "cannot read: no memory");
        return NULL;
    }
    /* Without O_NONBLOCK opening a FIFO would wait for a writer. */
    stream->descriptor = openat(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (stream->descriptor < 0) {
        refuse(why, "cannot open");
        goto fail;
    }
    if (fstat(stream->descriptor, &stream->before) != 0) {
        refuse(why, "cannot read");
        goto fail;
    }
    if (!is_readable(&stream->before, max, why)) {
        goto fail;
    }
    stream->digest = EVP_MD_CTX_new();
    if (stream->digest == NULL || EVP_DigestInit_ex(stream->digest, EVP_sha256(), NULL) != 1) {
        snprintf(why, WHY_MAX, "cannot compute its SHA-256");
        goto fail;
    }
    return stream;

fail:
    file_stream_close(stream);
    return NULL;
}

void file_stream_close(struct file_stream *stream)
{
    if (stream == NULL) {
        return;
    }
    EVP_MD_CTX_free(stream->digest);
    if (stream->descriptor >= 0) {
        close(stream->descriptor);
    }
    free(stream);
}

static bool refuse_change(char why[static WHY_MAX])
{
    snprintf(why, WHY_MAX, "changed while it was read");
    return false;
}

/* Is the file at its end what it was at its beginning? */
static bool check_end(const struct file_stream *stream, char why[static WHY_MAX])
{
    const struct stat *before = &stream->before;
    struct stat after;
    if (fstat(stream->descriptor, &after) != 0) {
        return refuse(why, "cannot read");
    }
    bool same = stream->size == (uint64_t)before->st_size && after.st_size == before->st_size &&
                after.st_mtim.tv_sec == before->st_mtim.tv_sec &&
                after.st_mtim.tv_nsec == before->st_mtim.tv_nsec;
    return same || refuse_change(why);
}

bool file_stream_read(struct file_stream *stream, char *out, size_t room, size_t *got,
                      char why[static WHY_MAX])
{
    ssize_t count;
    do {
        count = read(stream->descriptor, out, room);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        return refuse(why, "cannot read");
    }
    *got = (size_t)count;
    if (*got == 0) {
        return check_end(stream, why);
    }
    stream->size += *got;
    if (stream->size > (uint64_t)stream->before.st_size) {
        return refuse_change(why); /* it grows, perhaps without end */
    }
    if (EVP_DigestUpdate(stream->digest, out, *got) != 1) {
        snprintf(why, WHY_MAX, "cannot compute its SHA-256");
        return false;
    }
    return true;
}

bool file_stream_sha256(struct file_stream *stream, uint8_t out[static FILE_BYTES_SHA256])
{
    return EVP_DigestFinal_ex(stream->digest, out, NULL) == 1;
}

/* Reads a stream to its end, writing what is read to a descriptor if that is one. */
static bool pass_through(struct file_stream *stream, int to, char why[static WHY_MAX])
{
    char *block = malloc(BLOCK_BYTES);
    if (block == NULL) {
        snprintf(why, WHY_MAX, "cannot read: no memory");
        return false;
    }
    size_t got = 1;
    bool done = true;
    while (done && got > 0) {
        done = file_stream_read(stream, block, BLOCK_BYTES, &got, why) &&
               (to < 0 || file_bytes_put(to, block, got, why));
    }
    free(block);
    return done;
}

bool file_stream_know(int dir, const char *path, uint64_t max, struct file_stream_known *out,
                      char why[static WHY_MAX])
{
    *out = (struct file_stream_known){.dir = dir, .path = path};
    struct file_stream *stream = file_stream_open(dir, path, max, why);
    bool done = stream != NULL && pass_through(stream, -1, why);
    if (done && !file_stream_sha256(stream, out->sha256)) {
        snprintf(why, WHY_MAX, "cannot compute its SHA-256");
        done = false;
    }
    out->size = done ? stream->size : 0;
    file_stream_close(stream);
    return done;
}

bool file_stream_copy(const struct file_stream_known *from, int descriptor,
                      char why[static WHY_MAX])
{
    uint8_t sha256[FILE_BYTES_SHA256];
    struct file_stream *stream = file_stream_open(from->dir, from->path, from->size, why);
    bool done = stream != NULL && pass_through(stream, descriptor, why);
    if (done &&
        (!file_stream_sha256(stream, sha256) || memcmp(sha256, from->sha256, sizeof sha256) != 0)) {
        snprintf(why, WHY_MAX, "%.200s changed since it was read", from->path);
        done = false;
    }
    file_stream_close(stream);
    return done;
}
