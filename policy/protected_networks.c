/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Two networks have an address in common if one holds the other: so either the first address of
 * the one asked for lies in a protected network, or a protected network begins behind it. The first
 * is a search by address (policy/network_rules.h), the second one in an array sorted by address.
 */
#include "policy/protected_networks.h"

#include <stdlib.h>

#include "geo/problem.h"
#include "policy/line_reader.h"
#include "policy/network_rules.h"

struct protected_networks {
    struct network_rule *entries; /* ascending by address once sealed; a rule is its place */
    size_t count;
    size_t capacity;
    struct network_rules *rules; /* NULL: there are none */
};

/* --- Reading --- */

static bool add(struct protected_networks *networks, const struct network *network)
{
    if (networks->count == networks->capacity) {
        size_t capacity = networks->capacity * 2 + 16;
        struct network_rule *entries = reallocarray(networks->entries, capacity, sizeof *entries);
        if (entries == NULL) {
            return false;
        }
        networks->entries = entries;
        networks->capacity = capacity;
    }
    networks->entries[networks->count++] = (struct network_rule){.network = *network};
    return true;
}

/* False only when memory is out. */
static bool read_lines(struct protected_networks *networks, const char *name,
                       struct line_reader *reader, struct problem_list *problems)
{
    struct line line;
    struct network network;
    char why[WHY_MAX];
    while (line_reader_next(reader, &line)) {
        if (!network_parse(line.text, line.len, &network, why, sizeof why)) {
            problem_list_add(problems, PROBLEM_ERROR, name, line.number, line.column, "%s", why);
        } else if (!add(networks, &network)) {
            return false;
        }
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct network_rule *left = a;
    const struct network_rule *right = b;
    int order = address_compare(&left->network.base, &right->network.base);
    return order != 0 ? order : (int)left->network.length - (int)right->network.length;
}

/* False only when memory is out. */
static bool seal(struct protected_networks *networks)
{
    if (networks->count == 0) {
        return true;
    }
    qsort(networks->entries, networks->count, sizeof *networks->entries, compare);
    for (size_t i = 0; i < networks->count; i++) {
        networks->entries[i].rule = (uint32_t)i;
    }
    networks->rules = network_rules_new(networks->entries, networks->count);
    return networks->rules != NULL;
}

struct protected_networks *protected_networks_new(const char *name, const char *bytes, size_t size,
                                                  struct problem_list *problems)
{
    size_t errors = problems->errors;
    struct line_reader reader;
    struct protected_networks *networks = calloc(1, sizeof *networks);
    line_reader_init(&reader, bytes, size);
    if (networks == NULL || !read_lines(networks, name, &reader, problems) || !seal(networks)) {
        problem_list_add(problems, PROBLEM_ERROR, name, 0, 0, "out of memory");
    }
    if (problems->errors != errors) {
        protected_networks_free(networks);
        return NULL;
    }
    return networks;
}

void protected_networks_free(struct protected_networks *networks)
{
    if (networks != NULL) {
        network_rules_free(networks->rules);
        free(networks->entries);
        free(networks);
    }
}

/* --- Finding --- */

/* The first entry at or behind an address. */
static size_t first_from(const struct protected_networks *networks, const struct address *address)
{
    size_t low = 0;
    for (size_t high = networks->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (address_compare(&networks->entries[middle].network.base, address) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct network *protected_networks_find(const struct protected_networks *networks,
                                              const struct network *network)
{
    if (networks == NULL || networks->count == 0) {
        return NULL;
    }
    const struct network_rule *around = network_rules_find(networks->rules, &network->base);
    if (around != NULL) {
        return &networks->entries[around->rule].network;
    }
    const struct address last = network_last(network);
    for (size_t i = first_from(networks, &network->base); i < networks->count; i++) {
        const struct network *inside = &networks->entries[i].network;
        if (address_compare(&inside->base, &last) > 0) {
            break;
        }
        /* A wide IPv6 network may lie around the IPv4 block and holds none of it. */
        if (network_contains(network, &inside->base)) {
            return inside;
        }
    }
    return NULL;
}
