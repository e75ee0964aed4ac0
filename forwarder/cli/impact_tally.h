/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What `bailiwick impact` counts: queries by country, and by name those that the order would have
 * blocked, with how many clients asked. Addresses are kept to tell clients apart, and never shown.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "geo/country.h"

struct address;

struct impact_tally {
    json_t *countries; /* code: {queries, blocked, clients} */
    json_t *names;     /* name: {matched, queries, clients} */
    json_t *clients;   /* addresses that were blocked, and those that were for a name */
    uint64_t queries;
    uint64_t blocked;
    uint64_t blocked_clients;
    bool failed; /* memory was out: nothing counted since */
};

/* One query, or many of the same; client is NULL where it is not known, name and matched where it
 * would not have been blocked. */
struct impact_query {
    const char *country; /* a code, "unknown", or "-" without a client */
    const struct address *client;
    const char *name;
    const char *matched; /* the name of the order that matched */
    uint64_t count;
};

void impact_tally_init(struct impact_tally *tally);
void impact_tally_fini(struct impact_tally *tally);
void impact_tally_add(struct impact_tally *tally, const struct impact_query *query);

/* The entries of an object of counts with their key under "key", most "queries" first, at most max;
 * a new array. NULL when memory is out. */
json_t *impact_tally_top(json_t *counts, const char *key, size_t max);
