/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A part of a country as a value: the code of ISO 3166-2, such as US-CA, and the parts that an
 * address lies in. Only the form of a code is judged (a country and one to three capitals or
 * digits): ISO assigns new ones every year, so the database and the overrides say which there are.
 */
#pragma once

#include "geo/country.h"

#define SUBDIVISION_CODE 3

struct subdivision {
    struct country country;
    char code[SUBDIVISION_CODE]; /* behind the hyphen; zeros fill it. All 0: no subdivision */
};

/* Room for any code in text with its terminating NUL. */
#define SUBDIVISION_TEXT_MAX 7

/* Reads "US-CA". False, and out none, for what has another form or an unassigned country. */
bool subdivision_parse(const char *text, size_t len, struct subdivision *out);

/* Reads what stands behind the hyphen, "CA", or all of it, "US-CA" of this very country. */
bool subdivision_parse_within(struct country country, const char *text, size_t len,
                              struct subdivision *out);

bool subdivision_known(const struct subdivision *subdivision);

/* An order of subdivisions, for qsort and bsearch: that of their texts. */
int subdivision_compare(const void *a, const void *b);

/* Returns out. */
char *subdivision_format(const struct subdivision *subdivision,
                         char out[static SUBDIVISION_TEXT_MAX]);

/* Where in its country an address lies, the larger part first (England, then a county of it). No
 * source knows more levels with codes. All 0: not known. */
#define SUBDIVISION_LEVELS 2
struct subdivisions {
    char level[SUBDIVISION_LEVELS][SUBDIVISION_CODE];
};

#define SUBDIVISIONS_UNKNOWN ((struct subdivisions){{{0}}})

/* Where an address is, as far as it is known: eight octets, which a query carries with it. */
struct place {
    struct country country;
    struct subdivisions within; /* the parts of the country */
};

#define PLACE_UNKNOWN ((struct place){.country = COUNTRY_UNKNOWN})

/* Appends one; it is left out if all levels are taken. */
void subdivisions_add(struct subdivisions *subdivisions, const struct subdivision *subdivision);

/* The subdivision at a level, of the country that the address is in; none if it is not known. */
struct subdivision subdivisions_at(const struct subdivisions *subdivisions, struct country country,
                                   unsigned level);

bool subdivisions_equal(const struct subdivisions *a, const struct subdivisions *b);

/* The parts that two addresses of one country both lie in. */
struct subdivisions subdivisions_common(const struct subdivisions *a, const struct subdivisions *b);

/* Does an address of this country that lies in these parts of it lie in the subdivision? */
static inline bool subdivision_holds(const struct subdivision *subdivision, struct country country,
                                     const struct subdivisions *within)
{
    bool holds = false;
    for (unsigned i = 0; i < SUBDIVISION_LEVELS; i++) {
        holds |= within->level[i][0] == subdivision->code[0] &&
                 within->level[i][1] == subdivision->code[1] &&
                 within->level[i][2] == subdivision->code[2];
    }
    return holds && subdivision->code[0] != 0 && country_equal(subdivision->country, country);
}
