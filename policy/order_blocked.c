/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One map over the names of the file, and the maps that the lists have. Of one name in a file no
 * more than SAME_NAME_MAX items are looked at: each may have a term of its own, and to compare each
 * with each would take a hostile file's reader minutes.
 */
#include "policy/order_blocked.h"

#define SAME_NAME_MAX 64U

bool order_blocked_init(struct order_blocked *blocked, const struct order *order, uint64_t seed)
{
    *blocked = (struct order_blocked){.order = order, .seed = seed};
    struct suffix_map_builder *builder = suffix_map_builder_new(seed);
    for (size_t i = 0; builder != NULL && i < order->name_count; i++) {
        if (!suffix_map_builder_add(builder, &order->names[i].name, (uint32_t)i)) {
            suffix_map_builder_free(builder);
            return false;
        }
    }
    blocked->names = builder != NULL ? suffix_map_seal(builder) : NULL;
    return blocked->names != NULL;
}

void order_blocked_fini(struct order_blocked *blocked)
{
    suffix_map_free(blocked->names);
}

size_t order_blocked_names(const struct order_blocked *blocked, const struct suffix_keys *keys,
                           unsigned labels, const uint32_t **indexes)
{
    size_t count = suffix_map_find(blocked->names, keys, labels, indexes);
    return count < SAME_NAME_MAX ? count : SAME_NAME_MAX;
}

unsigned order_blocked_kinds(const struct order_blocked *blocked, const struct suffix_keys *keys,
                             unsigned labels)
{
    const struct order *order = blocked->order;
    const uint32_t *values = NULL;
    unsigned kinds = 0;
    size_t count = order_blocked_names(blocked, keys, labels, &values);
    for (size_t i = 0; i < count; i++) {
        kinds |= ORDER_BLOCKED_KIND(order->names[values[i]].kind);
    }
    for (size_t list = 0; list < order->list_count; list++) {
        count = suffix_map_find(name_list_map(order->lists[list].names), keys, labels, &values);
        for (size_t i = 0; i < count; i++) {
            kinds |= ORDER_BLOCKED_KIND(values[i] & ((1U << NAME_KIND_BITS) - 1));
        }
    }
    return kinds;
}

unsigned order_blocked_kinds_above(const struct order_blocked *blocked,
                                   const struct suffix_keys *keys, unsigned most_labels)
{
    unsigned kinds = 0;
    for (unsigned labels = 0; labels <= most_labels; labels++) {
        kinds |= order_blocked_kinds(blocked, keys, labels);
    }
    return kinds;
}
