/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where is this address? Overrides first, then the database. IPv4-mapped (::ffff:0:0/96) and 6to4
 * (2002::/16) addresses are looked up by the IPv4 address in them; Teredo (2001::/32) and NAT64
 * (64:ff9b::/96, 64:ff9b:1::/48) in the overrides alone, since the database describes
 * the relay and not the client.
 */
#pragma once

#include "geo/country.h"
#include "geo/network.h"
#include "geo/subdivision.h"

struct geo_db;
struct overrides;

enum locate_source {
    LOCATE_NOWHERE,  /* nothing covers the address: country unknown */
    LOCATE_DATABASE, /* the database holds a record (its country may be unknown) */
    LOCATE_OVERRIDE, /* the overrides hold a prefix (its country may be unknown) */
    LOCATE_FAILED,   /* the lookup erred: this is not "unknown", no order binds */
};

struct location {
    enum locate_source source;
    struct country country;
    struct subdivisions within; /* the parts of the country, as far as they are known */
    struct network
        network;          /* for people: the prefix or the database's network that matched (of
                           * IPv4     for a 6to4 address); the same as alike when nothing matched */
    struct network alike; /* around the address as asked (not as unwrapped); every address in it
                           * has this same source and place; for the memo */
};

/* overrides may be NULL. No allocation, no lock, no system call. */
void locate(const struct geo_db *db, const struct overrides *overrides,
            const struct address *address, struct location *out);
