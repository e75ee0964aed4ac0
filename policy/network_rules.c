/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Entries stand by length, the longest first, and within one length by address. There are few
 * lengths (mostly one of each family), so a search is a binary one in each of them.
 */
#include "policy/network_rules.h"

#include <stdlib.h>

#define LENGTHS 129

struct network_rules {
    size_t count;
    size_t lengths;                /* how many there are */
    uint8_t length[LENGTHS];       /* descending */
    size_t first[LENGTHS + 1];     /* of each length; the end behind the last */
    struct network_rule entries[]; /* count of them */
};

static int compare_places(const struct network *a, const struct network *b)
{
    return a->length != b->length ? (a->length > b->length ? -1 : 1)
                                  : address_compare(&a->base, &b->base);
}

/* Orders what is equal by its place before sorting, so that the first stays the first. */
static int compare_entries(const void *a, const void *b)
{
    const struct network_rule *const *left = a;
    const struct network_rule *const *right = b;
    int order = compare_places(&(*left)->network, &(*right)->network);
    return order != 0 ? order : (*left > *right) - (*left < *right);
}

static void add(struct network_rules *rules, const struct network_rule *entry)
{
    const struct network_rule *last = rules->count > 0 ? &rules->entries[rules->count - 1] : NULL;
    if (last != NULL && compare_places(&last->network, &entry->network) == 0) {
        return;
    }
    if (last == NULL || last->network.length != entry->network.length) {
        rules->length[rules->lengths] = entry->network.length;
        rules->first[rules->lengths++] = rules->count;
    }
    rules->entries[rules->count++] = *entry;
    rules->first[rules->lengths] = rules->count;
}

struct network_rules *network_rules_new(const struct network_rule *entries, size_t count)
{
    if (count == 0 || count > (SIZE_MAX - sizeof(struct network_rules)) / sizeof *entries) {
        return NULL;
    }
    const struct network_rule **sorted = calloc(count, sizeof *sorted);
    struct network_rules *rules = calloc(1, sizeof *rules + count * sizeof *entries);
    if (sorted == NULL || rules == NULL) {
        free(sorted);
        free(rules);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &entries[i];
    }
    qsort(sorted, count, sizeof *sorted, compare_entries);
    for (size_t i = 0; i < count; i++) {
        add(rules, sorted[i]);
    }
    free(sorted);
    return rules;
}

void network_rules_free(struct network_rules *rules)
{
    free(rules);
}

size_t network_rules_count(const struct network_rules *rules)
{
    return rules == NULL ? 0 : rules->count;
}

const struct network_rule *network_rules_at(const struct network_rules *rules, size_t index)
{
    return &rules->entries[index];
}

/* The first entry of one length whose network does not begin before the address. */
static size_t lower_bound(const struct network_rules *rules, size_t length,
                          const struct address *address)
{
    size_t low = rules->first[length];
    for (size_t high = rules->first[length + 1]; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (address_compare(&rules->entries[middle].network.base, address) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The entry of this network among those of one length, or NULL. */
static const struct network_rule *find_network(const struct network_rules *rules, size_t length,
                                               const struct network *network)
{
    size_t low = rules->first[length];
    for (size_t high = rules->first[length + 1]; low < high;) {
        size_t middle = low + (high - low) / 2;
        int order = address_compare(&rules->entries[middle].network.base, &network->base);
        if (order == 0) {
            return &rules->entries[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

const struct network_rule *network_rules_find(const struct network_rules *rules,
                                              const struct address *address)
{
    for (size_t i = 0; rules != NULL && i < rules->lengths; i++) {
        struct network around = network_around(address, rules->length[i]);
        const struct network_rule *found = find_network(rules, i, &around);
        if (found != NULL && network_contains(&found->network, address)) {
            return found;
        }
    }
    return NULL;
}

const struct network_rule *network_rules_find_network(const struct network_rules *rules,
                                                      const struct network *network)
{
    for (size_t i = 0; rules != NULL && i < rules->lengths; i++) {
        struct network around = network_around(&network->base, rules->length[i]);
        const struct network_rule *found =
            rules->length[i] <= network->length ? find_network(rules, i, &around) : NULL;
        if (found != NULL && network_contains(&found->network, &network->base)) {
            return found;
        }
    }
    return NULL;
}

/* The same among the entries of one length. */
static bool is_inside(const struct network_rules *rules, size_t length,
                      const struct network *network, uint32_t rule)
{
    for (size_t at = lower_bound(rules, length, &network->base); at < rules->first[length + 1];
         at++) {
        if (address_common_bits(&rules->entries[at].network.base, &network->base) <
            network->length) {
            return false;
        }
        if (rules->entries[at].rule == rule) {
            return true;
        }
    }
    return false;
}

bool network_rules_inside(const struct network_rules *rules, const struct network *network,
                          uint32_t rule)
{
    for (size_t i = 0; rules != NULL && i < rules->lengths; i++) {
        if (rules->length[i] > network->length && is_inside(rules, i, network, rule)) {
            return true;
        }
    }
    return false;
}
