/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The operator's own knowledge of where networks are: an RFC 8805 geofeed (prefix,country,region,
 * city,postal). It wins over the database; the longest prefix decides; an empty country means
 * that the country is unknown, an empty region that its parts are. Immutable and shared by
 * reference count.
 */
#pragma once

#include "geo/country.h"
#include "geo/network.h"
#include "geo/problem.h"
#include "geo/subdivision.h"

struct overrides;

/* Reads a geofeed from memory. Every bad line is an error in problems (place: file:line:column);
 * with any error the result is NULL. name is what problems call the file. An empty feed is fine. */
struct overrides *overrides_parse(const char *name, const char *bytes, size_t size,
                                  struct problem_list *problems);

struct overrides *overrides_ref(struct overrides *overrides);
void overrides_unref(struct overrides *overrides); /* NULL is allowed */

/* How many prefixes it holds. */
size_t overrides_count(const struct overrides *overrides);

/* Does any prefix lie in this subdivision? */
bool overrides_name_subdivision(const struct overrides *overrides,
                                const struct subdivision *subdivision);

struct overrides_result {
    bool found;                 /* a prefix covers the address */
    struct country country;     /* unknown if that prefix says so */
    struct subdivisions within; /* of its country */
    struct network prefix;      /* the prefix that decided, when found */
    struct network alike;       /* around the address; every address in it gets this same result */
};

/* No allocation, no lock, no system call. overrides may be NULL: nothing found, alike is ::/0. */
void overrides_find(const struct overrides *overrides, const struct address *address,
                    struct overrides_result *out);
