/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Codes of ISO 3166-2 as text and as values. Invariant: the characters of a code stand in front,
 * zeros behind them, so equal codes are equal bytes.
 */
#include "geo/subdivision.h"

#include <stdio.h>
#include <string.h>

static bool is_code(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((text[i] < 'A' || text[i] > 'Z') && (text[i] < '0' || text[i] > '9')) {
            return false;
        }
    }
    return len >= 1 && len <= SUBDIVISION_CODE;
}

bool subdivision_parse(const char *text, size_t len, struct subdivision *out)
{
    *out = (struct subdivision){.country = COUNTRY_UNKNOWN};
    if (len < 4 || text[2] != '-' || !is_code(text + 3, len - 3) ||
        !country_parse(text, 2, &out->country)) {
        return false;
    }
    memcpy(out->code, text + 3, len - 3);
    return true;
}

bool subdivision_parse_within(struct country country, const char *text, size_t len,
                              struct subdivision *out)
{
    if (country_known(country) && is_code(text, len)) {
        *out = (struct subdivision){.country = country};
        memcpy(out->code, text, len);
        return true;
    }
    if (subdivision_parse(text, len, out) && country_equal(out->country, country)) {
        return true;
    }
    *out = (struct subdivision){.country = COUNTRY_UNKNOWN};
    return false;
}

bool subdivision_known(const struct subdivision *subdivision)
{
    return subdivision->code[0] != 0;
}

int subdivision_compare(const void *a, const void *b)
{
    const struct subdivision *left = a;
    const struct subdivision *right = b;
    int order = memcmp(left->country.letter, right->country.letter, sizeof left->country.letter);
    return order != 0 ? order : memcmp(left->code, right->code, sizeof left->code);
}

char *subdivision_format(const struct subdivision *subdivision,
                         char out[static SUBDIVISION_TEXT_MAX])
{
    snprintf(out, SUBDIVISION_TEXT_MAX, "%.2s-%.3s", subdivision->country.letter,
             subdivision->code);
    return out;
}

void subdivisions_add(struct subdivisions *subdivisions, const struct subdivision *subdivision)
{
    for (unsigned i = 0; i < SUBDIVISION_LEVELS; i++) {
        if (subdivisions->level[i][0] == 0) {
            memcpy(subdivisions->level[i], subdivision->code, SUBDIVISION_CODE);
            return;
        }
    }
}

struct subdivision subdivisions_at(const struct subdivisions *subdivisions, struct country country,
                                   unsigned level)
{
    struct subdivision subdivision = {.country = COUNTRY_UNKNOWN};
    if (subdivisions->level[level][0] != 0) {
        subdivision.country = country;
        memcpy(subdivision.code, subdivisions->level[level], SUBDIVISION_CODE);
    }
    return subdivision;
}

bool subdivisions_equal(const struct subdivisions *a, const struct subdivisions *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static bool has_code(const struct subdivisions *subdivisions, const char code[SUBDIVISION_CODE])
{
    bool has = false;
    for (unsigned i = 0; i < SUBDIVISION_LEVELS; i++) {
        has |= memcmp(subdivisions->level[i], code, SUBDIVISION_CODE) == 0;
    }
    return has;
}

struct subdivisions subdivisions_common(const struct subdivisions *a, const struct subdivisions *b)
{
    struct subdivisions common = SUBDIVISIONS_UNKNOWN;
    unsigned used = 0;
    for (unsigned i = 0; i < SUBDIVISION_LEVELS; i++) {
        if (a->level[i][0] != 0 && has_code(b, a->level[i])) {
            memcpy(common.level[used++], a->level[i], SUBDIVISION_CODE);
        }
    }
    return common;
}
