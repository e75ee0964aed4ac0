/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The audit record read from its first line to its last: is each line as it was written, and
 * chained to the one before? Reads only; what is wrong is told, never mended.
 *
 * Half a line, with which a crash or a full disk may have left a file, is in order if the next
 * record says so: its event is "torn", and it gives the octets of the line before it, the line feed
 * that was put behind it included, and their SHA-256. A line without zeros is the beginning of one
 * record; after a power cut a file system may leave zeros where any number of records had been
 * written, and who counts records can only tell that some may be missing.
 */
#pragma once

#include "forwarder/audit/audit_files.h"
#include "forwarder/audit/audit_record.h"
#include "geo/problem.h"

struct audit_place {
    const char *file;
    unsigned line; /* from 1; 0: the file as a whole */
};

/* Any of these may be NULL. */
struct audit_chain_reader {
    void *ctx;
    /* Each record whose hash is right, in their order. False: no more are wanted. */
    bool (*on_record)(void *ctx, const struct audit_place *place,
                      const struct audit_record *record);
    /* Something that is not as it was written. */
    void (*on_fault)(void *ctx, const struct audit_place *place, const char *what);
    /* Half a line that a record after it tells of; so many of its octets are zero. */
    void (*on_torn)(void *ctx, const struct audit_place *place, size_t octets, size_t zeros);
};

/* What there was. */
struct audit_chain {
    struct audit_head head;          /* of the last record */
    uint64_t first;                  /* number of the first; 0: there is none */
    uint8_t prev[FILE_BYTES_SHA256]; /* hash of the record before that, as the first states it */
    uint64_t records;
    int64_t first_time;
    int64_t last_time;
    size_t faults;
    size_t torn;
    size_t zeros;     /* octets that are zero in lines that are no records */
    size_t file_size; /* octets of the last file */
    /* The last line, if it has no line feed: how many octets it will have with one (0: it ends as
     * it should), and their SHA-256. If it is a whole record nonetheless, head is its own. */
    size_t tail;
    bool tail_is_record;
    uint8_t tail_hash[FILE_BYTES_SHA256];
};

/* Reads files from the given place in their list on. A tail is a fault, and so is anything before
 * the first record if that is not number 1 though its file is: where it is another file, what was
 * before it is not judged (first, prev). False with a reason (file and sentence) if something could
 * not be read. */
bool audit_chain_read(const struct audit_files *files, size_t skip_files,
                      const struct audit_chain_reader *reader, struct audit_chain *out,
                      char why[static WHY_MAX]);
