/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Targets and sets of them (see upstream_set.h). References are counted by the main thread alone.
 */
#include "forwarder/upstream/upstream_set.h"

#include <stdlib.h>
#include <string.h>

#include "forwarder/config/config_address.h"

/* FNV-1a: the same for everybody, unlike the seeded hashes elsewhere; nobody gains by a collision.
 */
static uint64_t hash_octets(uint64_t hash, const void *octets, size_t size)
{
    const uint8_t *at = octets;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ at[i]) * 0x100000001B3U;
    }
    return hash;
}

static uint64_t hash_of(const struct config_address *address)
{
    uint64_t hash = 0xCBF29CE484222325U;
    if (address->sockaddr.ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address->sockaddr;
        hash = hash_octets(hash, &ipv4->sin_addr, sizeof ipv4->sin_addr);
        return hash_octets(hash, &ipv4->sin_port, sizeof ipv4->sin_port);
    }
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address->sockaddr;
    hash = hash_octets(hash, &ipv6->sin6_addr, sizeof ipv6->sin6_addr);
    return hash_octets(hash, &ipv6->sin6_port, sizeof ipv6->sin6_port);
}

/* There may be many more workers than there are: what nobody writes must take no memory, so nothing
 * is written here either. */
static bool make_counts(struct upstream_target *target, size_t workers)
{
    target->room =
        calloc(1, workers * sizeof(struct upstream_counts) + UPSTREAM_COUNTS_ALIGNMENT - 1);
    uintptr_t at = (uintptr_t)target->room + UPSTREAM_COUNTS_ALIGNMENT - 1;
    at -= at % UPSTREAM_COUNTS_ALIGNMENT;
    target->counts = (struct upstream_counts *)at;
    return target->room != NULL;
}

struct upstream_target *upstream_target_new(const struct config_address *address, size_t workers)
{
    struct upstream_target *target = calloc(1, sizeof *target);
    if (target == NULL) {
        return NULL;
    }
    if (!make_counts(target, workers)) {
        free(target);
        return NULL;
    }
    target->address = *address;
    target->hash = hash_of(address);
    target->workers = workers;
    target->references = 1;
    atomic_init(&target->up, true);
    atomic_init(&target->trust, UPSTREAM_UNTRIED);
    config_address_format(address, target->text);
    return target;
}

struct upstream_target *upstream_target_ref(struct upstream_target *target)
{
    target->references++;
    return target;
}

void upstream_target_unref(struct upstream_target *target)
{
    if (target == NULL || --target->references > 0) {
        return;
    }
    free(target->room);
    free(target);
}

bool upstream_target_same(const struct upstream_target *target,
                          const struct config_address *address)
{
    return target->address.size == address->size &&
           memcmp(&target->address.sockaddr, &address->sockaddr, address->size) == 0;
}

struct upstream_counts *upstream_target_counts(struct upstream_target *target, unsigned worker)
{
    return &target->counts[worker];
}

struct upstream_counts_sum upstream_target_sum(const struct upstream_target *target)
{
    struct upstream_counts_sum sum = {0};
    for (size_t i = 0; i < target->workers; i++) {
        const struct upstream_counts *counts = &target->counts[i];
        sum.outstanding += atomic_load_explicit(&counts->outstanding, memory_order_relaxed);
        sum.queries += atomic_load_explicit(&counts->queries, memory_order_relaxed);
        sum.timeouts += atomic_load_explicit(&counts->timeouts, memory_order_relaxed);
        histogram_read(&counts->latency, &sum.latency);
    }
    return sum;
}

uint64_t upstream_target_outstanding(const struct upstream_target *target)
{
    return upstream_target_sum(target).outstanding;
}

struct upstream_set *upstream_set_new(uint64_t number, struct upstream_target *const *targets,
                                      size_t count)
{
    struct upstream_set *set = calloc(1, sizeof *set + count * sizeof set->targets[0]);
    if (set == NULL) {
        return NULL;
    }
    set->number = number;
    set->count = count;
    for (size_t i = 0; i < count; i++) {
        set->targets[i] = upstream_target_ref(targets[i]);
    }
    return set;
}

void upstream_set_free(struct upstream_set *set)
{
    if (set == NULL) {
        return;
    }
    for (size_t i = 0; i < set->count; i++) {
        upstream_target_unref(set->targets[i]);
    }
    free(set);
}
