/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Names of two orders compared as sets (see diff_names.h). Lists that both have with the same bytes
 * are left out of both sides.
 */
#include "forwarder/cli/diff_names.h"

#include <stdio.h>
#include <string.h>

#include "policy/order.h"
#include "policy/suffix_map.h"

/* A side of the comparison: the names of an order, with their kinds. */
struct side {
    struct suffix_map_builder *builder;
    struct suffix_map *map;
    bool failed;
};

static enum name_kind kind_of(uint32_t value)
{
    return (enum name_kind)(value & ((1U << NAME_KIND_BITS) - 1));
}

/* A suffix_map_visit_fn: what follows from exceptions is not what anybody wrote. */
static bool add_name(void *ctx, const struct dname *name, uint32_t value)
{
    struct side *side = ctx;
    enum name_kind kind = kind_of(value);
    if (kind != NAME_FREE_BELOW && !suffix_map_builder_add(side->builder, name, (uint32_t)kind)) {
        side->failed = true;
    }
    return !side->failed;
}

static bool has_list(const struct order *order, const struct order_list *list)
{
    for (size_t i = 0; order != NULL && i < order->list_count; i++) {
        if (memcmp(order->lists[i].sha256, list->sha256, sizeof list->sha256) == 0 &&
            strcmp(order->lists[i].path, list->path) == 0) {
            return true;
        }
    }
    return false;
}

/* The names that order gives, but for lists that other has too. */
static bool gather(struct side *side, const struct order *order, const struct order *other,
                   uint64_t seed)
{
    side->builder = suffix_map_builder_new(seed);
    side->failed = side->builder == NULL;
    for (size_t i = 0; !side->failed && order != NULL && i < order->name_count; i++) {
        add_name(side, &order->names[i].name, (uint32_t)order->names[i].kind);
    }
    for (size_t i = 0; !side->failed && order != NULL && i < order->list_count; i++) {
        if (!has_list(other, &order->lists[i])) {
            suffix_map_each(name_list_map(order->lists[i].names), add_name, side);
        }
    }
    if (side->failed) {
        suffix_map_builder_free(side->builder);
        return false;
    }
    side->map = suffix_map_seal(side->builder);
    return side->map != NULL;
}

/* Looking for the names of one side in the other. */
struct search {
    const struct suffix_map *other;
    uint64_t seed;
    size_t count;
    json_t *shown;
    bool failed;
};

static const char *mark_of(enum name_kind kind)
{
    static const char *const marks[] = {
        [NAME_SUBTREE] = "", [NAME_EXACT] = "=", [NAME_EXCEPT] = "!",       [NAME_FREE_BELOW] = "",
        [NAME_BELOW] = "*.", [NAME_PASS] = "!=", [NAME_PASS_BELOW] = "!*.",
    };
    return marks[kind];
}

/* A suffix_map_visit_fn over one side. */
static bool look(void *ctx, const struct dname *name, uint32_t value)
{
    struct search *search = ctx;
    struct suffix_keys keys;
    const uint32_t *values;
    suffix_keys_init(&keys, name, search->seed);
    size_t count = suffix_map_find(search->other, &keys, keys.count, &values);
    for (size_t i = 0; i < count; i++) {
        if (values[i] == value) {
            return true;
        }
    }
    if (search->count++ < DIFF_NAMES_SHOWN) {
        char text[DNAME_TEXT_MAX], marked[DNAME_TEXT_MAX + 4];
        snprintf(marked, sizeof marked, "%s%s", mark_of(kind_of(value)), dname_format(name, text));
        search->failed = json_array_append_new(search->shown, json_string(marked)) != 0;
    }
    return !search->failed;
}

/* What one map holds and the other does not. */
static bool subtract(const struct suffix_map *from, const struct suffix_map *other, uint64_t seed,
                     size_t *count, json_t **shown)
{
    struct search search = {.other = other, .seed = seed, .shown = json_array()};
    search.failed = search.shown == NULL;
    if (!search.failed) {
        suffix_map_each(from, look, &search);
    }
    *count = search.count;
    *shown = search.shown;
    return !search.failed;
}

bool diff_names_compare(const struct order *before, const struct order *after, uint64_t seed,
                        struct diff_names *out)
{
    struct side old = {.map = NULL}, new = {.map = NULL};
    *out = (struct diff_names){0};
    bool done = gather(&old, before, after, seed) && gather(&new, after, before, seed) &&
                subtract(new.map, old.map, seed, &out->added, &out->added_shown) &&
                subtract(old.map, new.map, seed, &out->removed, &out->removed_shown);
    suffix_map_free(old.map);
    suffix_map_free(new.map);
    if (!done) {
        diff_names_fini(out);
    }
    return done;
}

void diff_names_fini(struct diff_names *names)
{
    json_decref(names->added_shown);
    json_decref(names->removed_shown);
    *names = (struct diff_names){0};
}
