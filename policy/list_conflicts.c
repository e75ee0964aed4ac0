/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Different rules for one owner in two places of a zone. A name that comes twice with the same rule
 * was merged by its map.
 */
#include <stdlib.h>

#include "geo/problem.h"
#include "policy/list_intake.h"
#include "policy/network_rules.h"
#include "policy/suffix_map.h"

#define CONFLICT                                                                   \
    "%s has different rules in two places of the zone; expected one, its records " \
    "next to each other"

/* The rules of one name, as they come: for itself and for what is below it. */
enum half {
    ITSELF,
    BELOW,
    HALVES,
};

struct search {
    struct list_intake *intake;
    struct dname name;
    bool known[HALVES];
    uint32_t rule[HALVES];
};

/* Which halves a kind decides; passing is a rule of its own. */
static bool decides(enum name_kind kind, enum half half)
{
    switch (kind) {
    case NAME_SUBTREE:
        return true;
    case NAME_EXACT:
    case NAME_PASS:
        return half == ITSELF;
    case NAME_BELOW:
    case NAME_PASS_BELOW:
        return half == BELOW;
    case NAME_EXCEPT:
    case NAME_FREE_BELOW:
        return false;
    }
    return false;
}

/* A suffix_map_visit_fn. */
static bool look(void *ctx, const struct dname *name, uint32_t value)
{
    struct search *search = ctx;
    enum name_kind kind = (enum name_kind)(value & ((1U << NAME_KIND_BITS) - 1));
    bool pass = kind == NAME_PASS || kind == NAME_PASS_BELOW;
    uint32_t rule = pass ? NAME_LIST_PASS : value >> NAME_KIND_BITS;
    if (!dname_equal(&search->name, name)) {
        *search = (struct search){.intake = search->intake, .name = *name};
    }
    for (enum half half = ITSELF; half < HALVES; half++) {
        if (!decides(kind, half)) {
            continue;
        }
        if (search->known[half] && search->rule[half] != rule) {
            char text[DNAME_TEXT_MAX];
            list_intake_bad(search->intake, (struct list_place){0}, CONFLICT,
                            dname_format(name, text));
        }
        search->known[half] = true;
        search->rule[half] = rule;
    }
    return true;
}

static int compare_networks(const void *a, const void *b)
{
    const struct network_rule *x = a, *y = b;
    int order = address_compare(&x->network.base, &y->network.base);
    if (order == 0) {
        order = x->network.length - y->network.length;
    }
    return order != 0 ? order : (x->rule > y->rule) - (x->rule < y->rule);
}

static void tell_networks(struct list_intake *intake, struct list_networks *networks)
{
    if (networks->count == 0) {
        return;
    }
    qsort(networks->items, networks->count, sizeof *networks->items, compare_networks);
    for (size_t i = 1; i < networks->count; i++) {
        const struct network_rule *x = &networks->items[i - 1], *y = &networks->items[i];
        if (network_equal(&x->network, &y->network) && x->rule != y->rule) {
            char text[NETWORK_TEXT_MAX];
            list_intake_bad(intake, (struct list_place){0}, CONFLICT,
                            network_format(&y->network, text));
        }
    }
}

void list_intake_tell_conflicts(struct list_intake *intake, const struct suffix_map *map)
{
    struct search search = {.intake = intake};
    suffix_map_each_several(map, look, &search);
    tell_networks(intake, &intake->answers);
    tell_networks(intake, &intake->clients);
}
