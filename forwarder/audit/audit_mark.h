/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How far an audit record had come when something was last written to it: a line in a file beside
 * its folder ("audit.head" beside "audit"), the number of the last record, its hash, the number of
 * its file. So a record whose end was cut off, or of which nothing is left, does not pass for a
 * whole one, and the next record is chained to the last one wherever that was taken.
 */
#pragma once

#include "forwarder/audit/audit_record.h"
#include "geo/problem.h"

struct audit_mark {
    struct audit_head head;
    unsigned file;
};

enum audit_mark_outcome {
    AUDIT_MARK_READ,
    AUDIT_MARK_NONE,
    AUDIT_MARK_BAD, /* it is there, and cannot be read, or is not as it was written */
};

/* Octets of the text with its line feed and a NUL. */
#define AUDIT_MARK_TEXT_MAX 112

/* Text and back; what is read is what was formatted and nothing else. */
size_t audit_mark_format(const struct audit_mark *mark, char out[static AUDIT_MARK_TEXT_MAX]);
bool audit_mark_parse(const char *text, size_t size, struct audit_mark *out);

/* The path for the record in a folder, on the heap; NULL when memory is out. */
char *audit_mark_path(const char *folder);

/* That of a record; with AUDIT_MARK_BAD why names the file. */
enum audit_mark_outcome audit_mark_read(const char *folder, struct audit_mark *out,
                                        char why[static WHY_MAX]);

/* Puts a new one in its place: the old one or the new one is there, after a crash too. False from
 * errno. */
bool audit_mark_write(const char *folder, const struct audit_mark *mark);
