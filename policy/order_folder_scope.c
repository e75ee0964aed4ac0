/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the name of a folder of orders stands for. A subdivision leaves the country unset, so that
 * whoever asks for the country alone finds nobody there, never the whole of it.
 */
#include "policy/order_folder_scope.h"

#include <stdio.h>
#include <string.h>

bool order_folder_scope_parse(const char *name, struct order_folder_scope *out,
                              char why[static WHY_MAX])
{
    size_t len = strlen(name);
    *out = (struct order_folder_scope){0};
    if (country_group_parse(name, len, &out->group)) {
        out->is_group = true;
        return true;
    }
    if (country_parse(name, len, &out->country) ||
        subdivision_parse(name, len, &out->subdivision)) {
        return true;
    }
    if (strpbrk(name, "abcdefghijklmnopqrstuvwxyz") != NULL && len <= 3) {
        snprintf(why, WHY_MAX, "a country is written in capitals, such as IT");
    } else {
        snprintf(why, WHY_MAX,
                 "expected a country of ISO 3166-1 in capitals, such as IT, or EU or EEA, or a "
                 "subdivision of ISO 3166-2, such as US-CA");
    }
    return false;
}

char *order_folder_scope_format(const struct order_folder_scope *scope,
                                char out[static ORDER_FOLDER_SCOPE_MAX])
{
    if (scope->is_group) {
        snprintf(out, ORDER_FOLDER_SCOPE_MAX, "%s", country_group_name(scope->group));
    } else if (subdivision_known(&scope->subdivision)) {
        subdivision_format(&scope->subdivision, out);
    } else {
        snprintf(out, ORDER_FOLDER_SCOPE_MAX, "%.2s", scope->country.letter);
    }
    return out;
}

bool order_folder_scope_equal(const struct order_folder_scope *a,
                              const struct order_folder_scope *b)
{
    if (a->is_group || b->is_group) {
        return a->is_group == b->is_group && a->group == b->group;
    }
    return country_equal(a->country, b->country) &&
           subdivision_compare(&a->subdivision, &b->subdivision) == 0;
}

/* Clients of that subdivision and no smaller one. */
static bool holds_subdivision(const struct order_scope *scope,
                              const struct subdivision *subdivision, int64_t now)
{
    struct subdivisions within = SUBDIVISIONS_UNKNOWN;
    subdivisions_add(&within, subdivision);
    return order_scope_holds(scope, subdivision->country, &within, now);
}

bool order_folder_scope_held(const struct order_folder_scope *folder,
                             const struct order_scope *scope, int64_t now)
{
    if (folder->is_group) {
        return scope->groups[folder->group];
    }
    return subdivision_known(&folder->subdivision)
               ? holds_subdivision(scope, &folder->subdivision, now)
               : order_scope_has(scope, folder->country, now);
}

bool order_folder_scope_touched(const struct order_folder_scope *folder,
                                const struct order_scope *scope, int64_t now)
{
    bool touched = order_folder_scope_held(folder, scope, now);
    for (size_t i = 0; !touched && country_known(folder->country) && i < scope->subdivision_count;
         i++) {
        touched = country_equal(scope->subdivisions[i].country, folder->country);
    }
    return touched;
}
