/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Codes of a scope (see scope_codes.h). A cursor counts through the groups and then through the
 * indexes of all countries.
 */
#include "forwarder/explain/scope_codes.h"

bool scope_codes_next(const struct order_scope *scope, unsigned *at,
                      char code[static SCOPE_CODES_TEXT_MAX])
{
    while (*at < COUNTRY_GROUPS + COUNTRY_INDEX_UNKNOWN) {
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
    return false;
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
