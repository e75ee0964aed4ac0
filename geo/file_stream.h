/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A regular file read once, block by block, with its SHA-256: for files too large to be held whole
 * (geo/file_bytes.h holds them). What was read counts only once the end is reached: a file that
 * changes while it is read, or ends elsewhere than its size says, is refused there.
 * A sentence in why is about the file and does not name it: the caller says which one.
 */
#pragma once

#include "geo/file_bytes.h"

struct file_stream;

/* Opens path (AT_FDCWD or an open folder as dir) if it is a regular file of at most max bytes;
 * never waits for a writer. NULL with a sentence in why. */
struct file_stream *file_stream_open(int dir, const char *path, uint64_t max,
                                     char why[static WHY_MAX]);
void file_stream_close(struct file_stream *stream); /* NULL is allowed */

/* The next bytes, at most room of them; *got is 0 at the end and only there. False with a sentence:
 * the file cannot be read, or changed meanwhile. */
bool file_stream_read(struct file_stream *stream, char *out, size_t room, size_t *got,
                      char why[static WHY_MAX]);

/* The SHA-256 of what was read: of the file as a whole once its end was read. False when it cannot
 * be computed; it can be asked for once. */
bool file_stream_sha256(struct file_stream *stream, uint8_t out[static FILE_BYTES_SHA256]);

/* A file as it was read. */
struct file_stream_known {
    int dir; /* AT_FDCWD or an open folder, for path; borrowed, like path */
    const char *path;
    uint64_t size;
    uint8_t sha256[FILE_BYTES_SHA256];
};

/* Reads a whole file of at most max bytes for its size and SHA-256 alone. */
bool file_stream_know(int dir, const char *path, uint64_t max, struct file_stream_known *out,
                      char why[static WHY_MAX]);

/* Writes a file to an open descriptor. False with a sentence if it cannot be written or is not what
 * it was any more: what was written then is to be thrown away. */
bool file_stream_copy(const struct file_stream_known *from, int descriptor,
                      char why[static WHY_MAX]);
