/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a policy looks like in memory; for policy_build.c, which makes it, and the files of policy_
 * that ask it. Nobody else includes this.
 *
 * Orders are kept by precedence (effective, then id), so of two orders that name the same suffix
 * the one with the smaller index wins. Names of order files share one map, whose values are
 * part << NAME_KIND_BITS | kind; each list has its own. For every country there is a row of the
 * orders that may bind it, or a subdivision of it, and have something else to be asked than that
 * map, and an instant from which on no order does. Where an order holds all of the country a second
 * instant says until when; between the two the subdivisions that orders name are asked.
 */
#pragma once

#include "policy/policy.h"
#include "policy/suffix_map.h"

/* The row behind those of the countries: every order that has any. */
#define POLICY_ROW_ALL COUNTRY_INDEXES

/* Names of one order file that have the same dates and ticket. Those of one order stand together,
 * and the orders ascend. */
struct policy_part {
    uint32_t order;                /* its index */
    const struct order_term *term; /* borrowed from it; NULL: as long as the order */
    const char *ticket;            /* borrowed from it; NULL: none */
};

/* Indexes of orders, row by row, ascending: row r is orders[first[r]] … orders[first[r + 1] - 1].
 */
struct policy_rows {
    uint32_t *orders;
    size_t first[POLICY_ROW_ALL + 2];
};

/* The maps of the lists of each row of orders, one behind the other: row r is maps[first[r]] …
 * maps[first[r + 1] - 1]. Of countries only. */
struct policy_maps {
    const struct suffix_map **maps;
    size_t first[COUNTRY_INDEXES + 1];
};

/* Until when orders bind clients by where they are. */
struct policy_end_within {
    struct subdivision subdivision;
    int64_t end;
};
struct policy_ends {
    int64_t any[COUNTRY_INDEXES];     /* then no order binds any part; ORDER_ALWAYS: none does */
    int64_t whole[COUNTRY_INDEXES];   /* then none binds all of it; not after any */
    struct policy_end_within *within; /* of each subdivision that an order names, sorted */
    size_t count;
};

struct policy {
    uint64_t seed;
    struct order **orders; /* a reference of each, by precedence */
    size_t count;
    bool *plain; /* of each order: all it says is that names are blocked with all below them */
    struct policy_part *parts;
    size_t part_count;
    struct suffix_depths depths;  /* at others no order says anything by a name */
    struct suffix_map *names;     /* of the order files */
    struct suffix_depths named;   /* at others it has no name */
    struct suffix_map *any_tld;   /* single labels; values are indexes. NULL: there are none */
    struct policy_rows listed;    /* orders with lists */
    struct policy_maps maps;      /* of those lists */
    bool large_lists;             /* some of which are large */
    struct policy_rows clients;   /* with lists that hold clients */
    struct policy_rows addressed; /* with addresses in answers */
    struct policy_ends scope;     /* of all orders */
    struct policy_ends answers;   /* of orders that look at answers */
    struct policy_ends shadows;   /* of those that are only counted */
};
