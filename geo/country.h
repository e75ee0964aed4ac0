/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A country as a value: the two letters that ISO 3166-1 assigns, or zero for "unknown".
 * UK reads as GB; XK (Kosovo) is accepted; every code that ISO does not assign (EU, AP, A1, ZZ,
 * AN, CS, ??, …) is no country. Sets of countries are bit sets indexed by the letters.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct country {
    char letter[2]; /* both 0: unknown */
};

#define COUNTRY_UNKNOWN ((struct country){{0, 0}})

/* Every country has an index below COUNTRY_INDEXES; the unknown one is COUNTRY_INDEX_UNKNOWN. */
#define COUNTRY_LETTERS 26U
#define COUNTRY_INDEX_UNKNOWN (COUNTRY_LETTERS * COUNTRY_LETTERS)
#define COUNTRY_INDEXES (COUNTRY_INDEX_UNKNOWN + 1)

/* Reads two capital letters. False, and out unknown, for what ISO 3166-1 does not assign. */
bool country_parse(const char *text, size_t len, struct country *out);

static inline bool country_known(struct country country)
{
    return country.letter[0] != 0;
}

bool country_equal(struct country a, struct country b);

/* Inline, as it is asked several times of every query. */
static inline unsigned country_index(struct country country)
{
    if (!country_known(country)) {
        return COUNTRY_INDEX_UNKNOWN;
    }
    return (unsigned)(country.letter[0] - 'A') * COUNTRY_LETTERS +
           (unsigned)(country.letter[1] - 'A');
}

/* The country of an index; unknown for indexes that stand for no assigned code. */
struct country country_of_index(unsigned index);

struct country_set {
    uint64_t bits[11];
};

void country_set_add(struct country_set *set, struct country country);

static inline bool country_set_has(const struct country_set *set, struct country country)
{
    unsigned index = country_index(country);
    return (set->bits[index / 64] >> (index % 64) & 1) != 0;
}
