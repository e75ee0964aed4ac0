/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Codes of a scope (see scope_codes.h). A cursor counts through the groups, then through the
 * indexes of all countries, then through the subdivisions.
 */
#include "forwarder/explain/scope_codes.h"

#define COUNTRIES_END (COUNTRY_GROUPS + COUNTRY_INDEX_UNKNOWN)

bool scope_codes_next(const struct order_scope *scope, unsigned *at,
                      char code[static SCOPE_CODES_TEXT_MAX])
{
    while (*at < COUNTRIES_END) {
        unsigned here = (*at)++;
        if (here < COUNTRY_GROUPS) {
            if (scope->groups[here]) {
                snprintf(code, SCOPE_CODES_TEXT_MAX, "%s",
                         country_group_name((enum country_group)here));
                return true;
            }
            continue;
        }
        struct country country = country_of_index(here - COUNTRY_GROUPS);
        if (country_known(country) && country_set_has(&scope->countries, country)) {
            snprintf(code, SCOPE_CODES_TEXT_MAX, "%.2s", country.letter);
            return true;
        }
    }
    if (*at - COUNTRIES_END >= scope->subdivision_count) {
        return false;
    }
    subdivision_format(&scope->subdivisions[(*at)++ - COUNTRIES_END], code);
    return true;
}

void scope_codes_print(const struct order_scope *scope, FILE *out)
{
    char code[SCOPE_CODES_TEXT_MAX];
    const char *separator = "";
    for (unsigned at = 0; scope_codes_next(scope, &at, code); separator = ", ") {
        fprintf(out, "%s%s", separator, code);
    }
    if (scope->unknown) {
        fprintf(out, "%sunknown countries", separator);
    }
}
