/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The text form of a geofeed (RFC 8805): lines of prefix,country,region,city,postal code. Only the
 * first two fields are used; the rest may be left out and is not judged.
 *
 * Not here: which prefix decides about an address (geo/overrides.h).
 */
#pragma once

#include "geo/country.h"
#include "geo/network.h"
#include "geo/problem.h"

struct geofeed_row {
    struct network network;
    struct country country; /* unknown: the feed says that nothing is known */
    unsigned line;          /* from 1 */
    unsigned column;        /* of the prefix, from 1 */
};

struct geofeed {
    struct geofeed_row *rows; /* in the order of the file; owned */
    size_t count;
};

/* Reads a feed. Each bad line is an error in problems, up to the hundredth; false if there was any,
 * and out is then empty. Lines end with LF or CRLF; '#' starts a comment; fields may be quoted as
 * in RFC 4180; letter case of the country does not matter (RFC 8805 section 2.1.1.2). */
bool geofeed_parse(const char *name, const char *bytes, size_t size, struct geofeed *out,
                   struct problem_list *problems);

void geofeed_fini(struct geofeed *feed);
