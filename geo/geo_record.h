/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One text out of a data record of a MaxMind DB (format 2.0, "Data Section"). Made for records that
 * nobody has checked: it never recurses, reads nothing outside the section and does a bounded
 * amount of work for each record. (libmaxminddb 1.7.1 recurses once for each level of nested
 * arrays that it skips, as deep as the file likes.)
 *
 * Not here: the search tree and the metadata; those are libmaxminddb's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The data section, borrowed. */
struct geo_record_section {
    const uint8_t *bytes;
    size_t size;
};

enum geo_record_outcome {
    GEO_RECORD_TEXT,   /* the path leads to a text */
    GEO_RECORD_LACKS,  /* the record is sound but has no text there */
    GEO_RECORD_BROKEN, /* it cannot be decoded, or holds more values than any real record */
};

struct geo_record_text {
    const char *text; /* inside the section; not terminated */
    size_t len;
};

/* Follows path (ends with NULL) from the record at offset: keys of maps, and numbers of items of
 * arrays as one digit, from "0". out is written only with GEO_RECORD_TEXT. */
enum geo_record_outcome geo_record_find(const struct geo_record_section *section, size_t offset,
                                        const char *const *path, struct geo_record_text *out);
