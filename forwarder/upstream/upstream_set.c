/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Targets and sets of them (see upstream_set.h). References are counted by the main thread alone.
 */
#include "forwarder/upstream/upstream_set.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Counters of two workers never share a cache line. */
#define COUNTER_STRIDE (64U / sizeof(uint32_t))

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
        hash = hash_octets(hash, &ipv4->sin_addr, sizeof(ipv4->sin_addr));
        return hash_octets(hash, &ipv4->sin_port, sizeof(ipv4->sin_port));
    }
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address->sockaddr;
    hash = hash_octets(hash, &ipv6->sin6_addr, sizeof(ipv6->sin6_addr));
    return hash_octets(hash, &ipv6->sin6_port, sizeof(ipv6->sin6_port));
}

static void text_of(const struct config_address *address, char *out, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "";
    if (address->sockaddr.ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address->sockaddr;
        inet_ntop(AF_INET, &ipv4->sin_addr, host, sizeof(host));
        snprintf(out, size, "%s:%u", host, (unsigned)ntohs(ipv4->sin_port));
        return;
    }
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address->sockaddr;
    inet_ntop(AF_INET6, &ipv6->sin6_addr, host, sizeof(host));
    snprintf(out, size, "[%s]:%u", host, (unsigned)ntohs(ipv6->sin6_port));
}

struct upstream_target *upstream_target_new(const struct config_address *address, size_t workers)
{
    struct upstream_target *target = calloc(1, sizeof(*target));
    if (target == NULL) {
        return NULL;
    }
    target->outstanding = calloc(workers * COUNTER_STRIDE, sizeof(*target->outstanding));
    if (target->outstanding == NULL) {
        free(target);
        return NULL;
    }
    target->address = *address;
    target->hash = hash_of(address);
    target->workers = workers;
    target->references = 1;
    atomic_init(&target->up, true);
    atomic_init(&target->trust, UPSTREAM_UNTRIED);
    text_of(address, target->text, sizeof(target->text));
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
    free(target->outstanding);
    free(target);
}

bool upstream_target_same(const struct upstream_target *target,
                          const struct config_address *address)
{
    return target->address.size == address->size &&
           memcmp(&target->address.sockaddr, &address->sockaddr, address->size) == 0;
}

_Atomic uint32_t *upstream_target_counter(struct upstream_target *target, unsigned worker)
{
    return &target->outstanding[worker * COUNTER_STRIDE];
}

uint64_t upstream_target_outstanding(const struct upstream_target *target)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < target->workers; i++) {
        sum += atomic_load_explicit(&target->outstanding[i * COUNTER_STRIDE], memory_order_relaxed);
    }
    return sum;
}

struct upstream_set *upstream_set_new(uint64_t number, struct upstream_target *const *targets,
                                      size_t count)
{
    struct upstream_set *set = calloc(1, sizeof(*set) + count * sizeof(set->targets[0]));
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
