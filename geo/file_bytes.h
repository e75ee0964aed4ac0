/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A whole regular file, read once into memory with its SHA-256, so that what is judged, hashed and
 * kept is one and the same sequence of bytes whatever happens to the path meanwhile.
 * A sentence in why is about the file and does not name it: the caller says which one.
 */
#pragma once

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include "geo/problem.h"

#define FILE_BYTES_SHA256 32
#define FILE_BYTES_HEX_MAX 65

struct file_bytes {
    char *bytes; /* size bytes and a NUL behind them; owned */
    size_t size;
    uint8_t sha256[FILE_BYTES_SHA256];
};

/* Reads path (AT_FDCWD or an open folder as dir) if it is a regular file of at most max bytes that
 * did not change while it was read. False with a sentence in why; *out is then empty. */
bool file_bytes_read(int dir, const char *path, size_t max, struct file_bytes *out,
                     char why[static WHY_MAX]);

/* The same from bytes in memory, copied (tests, fuzzers, state). False only when memory is out;
 * *out is then empty. */
bool file_bytes_copy(const void *bytes, size_t size, struct file_bytes *out);

/* Copies the bytes into an anonymous file in memory that nobody can write, shorten or lengthen any
 * more. The caller closes the descriptor. */
bool file_bytes_seal(const struct file_bytes *file, int *descriptor, char why[static WHY_MAX]);

void file_bytes_fini(struct file_bytes *file);

/* Lower-case hexadecimal text of a digest. Returns out. */
char *file_bytes_hex(const uint8_t sha256[static FILE_BYTES_SHA256],
                     char out[static FILE_BYTES_HEX_MAX]);

/* Writes all bytes to an open descriptor. */
bool file_bytes_put(int descriptor, const char *bytes, size_t size, char why[static WHY_MAX]);
