/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The assigned codes of ISO 3166-1 alpha-2 (249, as of 2025) and XK. One row for each first letter
 * holds the second letters; everything else here is arithmetic on the two letters.
 */
#include "geo/country.h"

#include <string.h>

static const char *const second_letters[COUNTRY_LETTERS] = {
    "DEFGILMOQRSTUWXZ",        /* A */
    "ABDEFGHIJLMNOQRSTVWYZ",   /* B */
    "ACDFGHIKLMNORUVWXYZ",     /* C */
    "EJKMOZ",                  /* D */
    "CEGHRST",                 /* E */
    "IJKMOR",                  /* F */
    "ABDEFGHILMNPQRSTUWY",     /* G */
    "KMNRTU",                  /* H */
    "DELMNOQRST",              /* I */
    "EMOP",                    /* J */
    "EGHIMNPRWYZ",             /* K */
    "ABCIKRSTUVY",             /* L */
    "ACDEFGHKLMNOPQRSTUVWXYZ", /* M */
    "ACEFGILOPRUZ",            /* N */
    "M",                       /* O */
    "AEFGHKLMNRSTWY",          /* P */
    "A",                       /* Q */
    "EOSUW",                   /* R */
    "ABCDEGHIJKLMNORSTVXYZ",   /* S */
    "CDFGHJKLMNORTVWZ",        /* T */
    "AGMSYZ",                  /* U */
    "ACEGINU",                 /* V */
    "FS",                      /* W */
    "K",                       /* X: Kosovo; user-assigned, and in use everywhere */
    "ET",                      /* Y */
    "AMW",                     /* Z */
};

static bool assigned(unsigned first, unsigned second)
{
    return first < COUNTRY_LETTERS && second < COUNTRY_LETTERS &&
           strchr(second_letters[first], (int)('A' + second)) != NULL;
}

bool country_parse(const char *text, size_t len, struct country *out)
{
    *out = COUNTRY_UNKNOWN;
    if (len != 2) {
        return false;
    }
    if (memcmp(text, "UK", 2) == 0) {
        text = "GB";
    }
    /* Characters below 'A' wrap round to numbers that are no letter either. */
    if (!assigned((unsigned)text[0] - 'A', (unsigned)text[1] - 'A')) {
        return false;
    }
    memcpy(out->letter, text, 2);
    return true;
}

bool country_equal(struct country a, struct country b)
{
    return a.letter[0] == b.letter[0] && a.letter[1] == b.letter[1];
}

struct country country_of_index(unsigned index)
{
    unsigned first = index / COUNTRY_LETTERS;
    unsigned second = index % COUNTRY_LETTERS;
    if (!assigned(first, second)) {
        return COUNTRY_UNKNOWN;
    }
    return (struct country){{(char)('A' + first), (char)('A' + second)}};
}

void country_set_add(struct country_set *set, struct country country)
{
    unsigned index = country_index(country);
    set->bits[index / 64] |= UINT64_C(1) << (index % 64);
}
