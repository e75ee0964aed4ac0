/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The text form of a geofeed (RFC 8805): lines of prefix,country,region,city,postal code. Only the
 * first three fields are used; the rest may be left out and is not judged. A region that is no code
 * of ISO 3166-2 of the row's country says nothing.
 *
 * Not here: which prefix decides about an address (geo/overrides.h).
 */
#pragma once

#include "geo/country.h"
#include "geo/network.h"
#include "geo/problem.h"
#include "geo/subdivision.h"

struct geofeed_row {
    struct network network;
    struct country country;     /* unknown: the feed says that nothing is known */
    struct subdivisions within; /* of the region */
    unsigned line;              /* from 1 */
    unsigned column;            /* of the prefix, from 1 */
};

struct geofeed {
    struct geofeed_row *rows; /* in the order of the file; owned */
    size_t count;
};

/* Reads a feed. Each bad line is an error in problems, up to the hundredth; false if there was any,
 * and out is then empty. Lines end with LF or CRLF; '#' starts a comment; fields may be quoted as
 * in RFC 4180; letter case of the country and the region does not matter (RFC 8805 sections 2.1.1.2
 * and 2.1.1.3). */
bool geofeed_parse(const char *name, const char *bytes, size_t size, struct geofeed *out,
                   struct problem_list *problems);

void geofeed_fini(struct geofeed *feed);
