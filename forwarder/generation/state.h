/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The folder of last good versions (`state`): for each order, and for the database, the overrides
 * and the protected names, the bytes that were last in force, so that a restart whose files do not
 * load can use them. A kept version is a folder:
 *
 *     orders/IT%2fmilano.yaml/meta.json     what it is, and the SHA-256 of each part
 *     orders/IT%2fmilano.yaml/<SHA-256>     a part: the order file itself, then its lists
 *
 * Parts are named by their contents and written first; meta.json is replaced by one rename, last.
 * So whenever a process or a disk stops, meta.json names a whole version, the old or the new one.
 * Here versions are read and removed; state_batch.h writes them. Knows files and digests; what they
 * mean is the caller's business.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geo/file_bytes.h"
#include "geo/problem.h"

/* Where one version is kept. */
struct state_key {
    const char *root; /* the state folder */
    const char *kind; /* "orders", "geo", "block": a folder below it */
    const char *path; /* what is kept there, any text: "IT/milano.yaml", "database" */
};

struct file_stream_known;

/* One file of a version. */
struct state_part {
    char *origin; /* as it is named in what refers to it: a list's path in the order; UTF-8 */
    size_t size;
    size_t names; /* that a list gave; 0: not known, or no list */
    uint8_t sha256[FILE_BYTES_SHA256];
    char *file; /* of a version that was read: where the copy lies */
    /* Of a version that is to be written, borrowed: its bytes, or the file they are in, as it was
     * read. */
    const void *bytes;
    const struct file_stream_known *source;
};

/* In one that is to be written (state_batch.h) origin and id may be NULL, and path is the key's. */
struct state_version {
    char *path;
    char *id; /* of an order; else "" */
    int64_t loaded;
    struct state_part *parts;
    size_t count;
};

enum state_outcome {
    STATE_KEPT,    /* *out describes it; its parts are there with their sizes */
    STATE_ABSENT,  /* nothing is kept there */
    STATE_DAMAGED, /* something is, but it cannot be used; why says so */
};

/* Reads the description of a version. The caller frees it with state_version_fini; on another
 * outcome than STATE_KEPT *out is empty. */
enum state_outcome state_read(const struct state_key *key, struct state_version *out,
                              char why[static WHY_MAX]);
void state_version_fini(struct state_version *version); /* what state_read filled */

/* Reads a part of a version that state_read found. False, with a sentence, if it is not what was
 * kept. */
bool state_part_read(const struct state_part *part, struct file_bytes *out,
                     char why[static WHY_MAX]);

/* The same without reading it into memory: describes the part's file in *out, which borrows from
 * the part. */
bool state_part_know(const struct state_part *part, struct file_stream_known *out,
                     char why[static WHY_MAX]);

/* Are all parts still what was kept? Reads them. */
bool state_version_is_whole(const struct state_version *version);

/* Removes what is kept there, if there is anything. */
bool state_remove(const struct state_key *key, char why[static WHY_MAX]);

/* The paths of all versions of a kind that can be read, on the heap, in no order; *count of them.
 * NULL with *count 0 if there are none. The caller frees each and the array. */
char **state_list(const char *root, const char *kind, size_t *count);
