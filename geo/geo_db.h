/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One open country database (MaxMind DB format), immutable and shared by reference count.
 * The file is copied into a sealed memfd first and never touched again through its path: a file
 * that is truncated or copied over in place can neither raise SIGBUS nor show a half-written tree.
 * At open the whole search tree is walked and every data record resolved to a country, so a
 * database that is broken inside is refused then, and a lookup later is a bare walk.
 *
 * Not here: overrides, memo, and what an IPv6 transition address means (geo/locate.h).
 */
#pragma once

#include "geo/country.h"
#include "geo/network.h"
#include "geo/problem.h"
#include "geo/subdivision.h"

struct geo_db;

/* Which country of a GeoIP2 record counts. With GEO_FIELD_COUNTRY the flat schemas are read too:
 * country.iso_code (GeoIP2, GeoLite2, DB-IP), country_code (IPinfo, ip-location-db), and country as
 * a string (IPinfo). With it alone subdivisions are read, since they are parts of that country:
 * subdivisions[].iso_code (GeoIP2, GeoLite2, DB-IP), region_code (IPinfo); a
 * database that has their names but no codes leaves them unknown. */
enum geo_field {
    GEO_FIELD_COUNTRY,
    GEO_FIELD_REGISTERED,
    GEO_FIELD_REPRESENTED,
};

/* Opens, copies, seals and verifies. NULL with one sentence in why (empty, truncated, not an MMDB,
 * not a country database, an unreadable record …), which does not name the file. A database of IPv4
 * alone is a database: every other address is absent from it. */
struct geo_db *geo_db_open(const char *path, enum geo_field field, char why[static WHY_MAX]);

struct geo_db *geo_db_ref(struct geo_db *db);
void geo_db_unref(struct geo_db *db); /* NULL is allowed */

/* When the database was built (its own build_epoch), seconds since the epoch. */
int64_t geo_db_built(const struct geo_db *db);

/* The database_type text of its metadata; lives as long as db. */
const char *geo_db_type(const struct geo_db *db);

/* Does any record say in which part of its country an address lies? And does any say this one? */
bool geo_db_has_subdivisions(const struct geo_db *db);
bool geo_db_names_subdivision(const struct geo_db *db, const struct subdivision *subdivision);

/* SHA-256 of the file as opened: FILE_BYTES_SHA256 bytes that live as long as db. */
const uint8_t *geo_db_sha256(const struct geo_db *db);

/* The sealed copy, for keeping it elsewhere byte for byte; use pread. Belongs to db. */
int geo_db_descriptor(const struct geo_db *db);

enum geo_db_outcome {
    GEO_DB_FOUND,  /* a record; its country may still be unknown (EU, AP, …) */
    GEO_DB_ABSENT, /* no record covers the address */
    GEO_DB_FAILED, /* the library reported an error; nothing is known */
};

struct geo_db_result {
    enum geo_db_outcome outcome;
    struct country country;
    struct subdivisions within; /* the parts of the country it lies in */
    struct network network;     /* every address in it gets this same result; the host on failure */
};

/* Looks up the address as it stands. No allocation, no lock, no system call. */
void geo_db_find(const struct geo_db *db, const struct address *address, struct geo_db_result *out);
