/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Connection IDs to connections (see quic_routes.h): chains, as many as there are routes or more.
 */
#include "forwarder/quic/quic_routes.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS_FIRST 64U

struct quic_route {
    struct quic_route *next;    /* in the bucket's chain */
    struct quic_route *sibling; /* on the owner's list */
    void *owner;
    uint8_t size;
    uint8_t id[QUIC_ROUTES_ID_MAX];
};

struct quic_routes {
    uint64_t key;
    size_t count;
    size_t bucket_count; /* a power of two */
    struct quic_route **buckets;
};

struct quic_routes *quic_routes_new(uint64_t key)
{
    struct quic_routes *routes = calloc(1, sizeof *routes);
    if (routes == NULL) {
        return NULL;
    }
    routes->key = key;
    routes->bucket_count = BUCKETS_FIRST;
    routes->buckets = calloc(BUCKETS_FIRST, sizeof(struct quic_route *));
    if (routes->buckets == NULL) {
        quic_routes_free(routes);
        return NULL;
    }
    return routes;
}

void quic_routes_free(struct quic_routes *routes)
{
    if (routes == NULL) {
        return;
    }
    free(routes->buckets);
    free(routes);
}

size_t quic_routes_count(const struct quic_routes *routes)
{
    return routes->count;
}

static size_t bucket_of(const struct quic_routes *routes, const uint8_t *id, size_t size)
{
    uint64_t words[3] = {0};
    memcpy(words, id, size);
    uint64_t hash = routes->key ^ size;
    for (size_t i = 0; i < 3; i++) {
        hash = (hash ^ words[i]) * 0x9E3779B97F4A7C15U;
        hash ^= hash >> 32;
    }
    return (hash ^ routes->key >> 17) & (routes->bucket_count - 1);
}

/* One without octets is nobody's, as is one that no packet may have. */
static bool is_an_id(struct span id)
{
    return id.size > 0 && id.size <= QUIC_ROUTES_ID_MAX;
}

/* The link that leads to the ID's route, or to the end of its chain. */
static struct quic_route **link_of(const struct quic_routes *routes, struct span id)
{
    struct quic_route **link = &routes->buckets[bucket_of(routes, id.bytes, id.size)];
    while (*link != NULL &&
           ((*link)->size != id.size || memcmp((*link)->id, id.bytes, id.size) != 0)) {
        link = &(*link)->next;
    }
    return link;
}

void *quic_routes_find(const struct quic_routes *routes, struct span id)
{
    const struct quic_route *route = is_an_id(id) ? *link_of(routes, id) : NULL;
    return route == NULL ? NULL : route->owner;
}

/* Twice as many buckets; without memory for them the chains just become longer. */
static void grow(struct quic_routes *routes)
{
    struct quic_route **before = routes->buckets;
    size_t count = routes->bucket_count;
    struct quic_route **buckets = calloc(count * 2, sizeof(struct quic_route *));
    if (buckets == NULL) {
        return;
    }
    routes->buckets = buckets;
    routes->bucket_count = count * 2;
    for (size_t i = 0; i < count; i++) {
        while (before[i] != NULL) {
            struct quic_route *route = before[i];
            struct quic_route **first = &buckets[bucket_of(routes, route->id, route->size)];
            before[i] = route->next;
            route->next = *first;
            *first = route;
        }
    }
    free(before);
}

bool quic_routes_add(struct quic_routes *routes, struct span id, void *owner,
                     struct quic_route **list)
{
    if (!is_an_id(id) || quic_routes_find(routes, id) != NULL) {
        return false;
    }
    struct quic_route *route = calloc(1, sizeof *route);
    if (route == NULL) {
        return false;
    }
    if (routes->count >= routes->bucket_count) {
        grow(routes);
    }
    route->owner = owner;
    route->size = (uint8_t)id.size;
    memcpy(route->id, id.bytes, id.size);
    route->sibling = *list;
    *list = route;
    *link_of(routes, id) = route;
    routes->count++;
    return true;
}

/* Takes the first route of the list out of everything. */
static void remove_first(struct quic_routes *routes, struct quic_route **list)
{
    struct quic_route *route = *list;
    struct quic_route **link = link_of(routes, (struct span){route->id, route->size});
    *link = route->next;
    *list = route->sibling;
    routes->count--;
    free(route);
}

void quic_routes_remove(struct quic_routes *routes, struct span id, struct quic_route **list)
{
    for (; *list != NULL; list = &(*list)->sibling) {
        if ((*list)->size == id.size && memcmp((*list)->id, id.bytes, id.size) == 0) {
            remove_first(routes, list);
            return;
        }
    }
}

void quic_routes_clear(struct quic_routes *routes, struct quic_route **list)
{
    while (*list != NULL) {
        remove_first(routes, list);
    }
}
