/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The records of a zone file (RFC 1035 section 5), read by libzscanner block by block, whatever
 * they mean. $INCLUDE is an error: a list is one file.
 */
#pragma once

#include "policy/list_intake.h"

struct list_rpz_record {
    struct dname owner;
    uint16_t type;
    const uint8_t *data; /* RDATA; valid until the next record */
    size_t size;
    unsigned line;    /* where the record ends */
    const char *text; /* that line, as far as the record goes; not NUL-terminated */
    size_t text_len;
};

/* Takes a record; false: no more are wanted. */
typedef bool list_rpz_record_fn(void *ctx, const struct list_rpz_record *record);

/* Hands over all records of class IN. Another class, and what is no record, is reported. */
void list_rpz_zone_read(struct list_intake *intake, struct list_unpack *source,
                        list_rpz_record_fn *take, void *ctx);

/* Where the record's owner stands, and where its last word. */
struct list_place list_rpz_record_begin(const struct list_rpz_record *record);
struct list_place list_rpz_record_end(const struct list_rpz_record *record);
