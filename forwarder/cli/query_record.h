/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A query that somebody saw, or many of the same, and the line of text that tells of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geo/address.h"
#include "geo/problem.h"
#include "policy/dname.h"

struct query_record {
    bool has_client;
    struct address client;
    struct dname name;
    uint16_t type;
    uint64_t count; /* at least 1 */
};

/* Told of each query of a source; false ends the reading. */
typedef bool query_record_fn(void *ctx, const struct query_record *record);

enum query_record_line {
    QUERY_RECORD_ONE,
    QUERY_RECORD_NOTHING, /* blank, or a comment */
    QUERY_RECORD_BAD,     /* a sentence is in why */
};

/* Reads a line of len octets, which is cut into words in place: "NAME [COUNT]", "COUNT NAME" or
 * "ADDRESS NAME [TYPE] [COUNT]". */
enum query_record_line query_record_parse(char *line, size_t len, struct query_record *out,
                                          char why[static WHY_MAX]);
