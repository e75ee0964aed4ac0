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
#define COUNTRY_INDEX_UNKNOWN 676U
#define COUNTRY_INDEXES 677U

/* Reads two capital letters. False, and out unknown, for what ISO 3166-1 does not assign. */
bool country_parse(const char *text, size_t len, struct country *out);

bool country_known(struct country country);
bool country_equal(struct country a, struct country b);
unsigned country_index(struct country country);

/* The country of an index; unknown for indexes that stand for no assigned code. */
struct country country_of_index(unsigned index);

struct country_set {
    uint64_t bits[11];
};

void country_set_add(struct country_set *set, struct country country);
bool country_set_has(const struct country_set *set, struct country country);
