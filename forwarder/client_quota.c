/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Counting stream connections by client (see client_quota.h): a hash table with chains under one
 * lock. Buckets are chosen by a keyed hash, so that nobody can fill one chain from many addresses.
 */
#include "forwarder/client_quota.h"

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BUCKETS 4096U

struct holder {
    struct address client;
    unsigned connections;
    struct holder *next;
};

struct client_quota {
    pthread_mutex_t lock; /* guards all below */
    unsigned connections;
    unsigned connections_max;
    unsigned per_client_max;
    uint64_t key;
    struct holder *buckets[BUCKETS];
};

struct client_quota *client_quota_new(unsigned connections, unsigned per_client)
{
    struct client_quota *quota = calloc(1, sizeof *quota);
    if (quota == NULL) {
        return NULL;
    }
    if (getrandom(&quota->key, sizeof quota->key, 0) != sizeof quota->key ||
        pthread_mutex_init(&quota->lock, NULL) != 0) {
        free(quota);
        return NULL;
    }
    quota->connections_max = connections;
    quota->per_client_max = per_client;
    return quota;
}

void client_quota_free(struct client_quota *quota)
{
    if (quota == NULL) {
        return;
    }
    for (unsigned i = 0; i < BUCKETS; i++) {
        struct holder *holder = quota->buckets[i];
        while (holder != NULL) {
            struct holder *next = holder->next;
            free(holder);
            holder = next;
        }
    }
    pthread_mutex_destroy(&quota->lock);
    free(quota);
}

const struct address CLIENT_QUOTA_NOBODY = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                             0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

static bool is_nobody(const struct address *address)
{
    return address_equal(address, &CLIENT_QUOTA_NOBODY);
}

/* What counts as one client. */
static struct address client_of(const struct address *address)
{
    struct address client = *address;
    if (!address_is_ipv4(address) && !is_nobody(address)) {
        memset(client.octet + 8, 0, 8);
    }
    return client;
}

/* The link that leads to the client's holder, or to the end of its chain. */
static struct holder **find(struct client_quota *quota, const struct address *client)
{
    uint64_t half[2];
    memcpy(half, client->octet, sizeof half);
    uint64_t hash = (half[0] ^ quota->key) * 0x9E3779B97F4A7C15U;
    hash = (hash ^ (hash >> 32) ^ half[1]) * 0xC2B2AE3D27D4EB4FU;
    struct holder **link = &quota->buckets[(hash >> 40) % BUCKETS];
    while (*link != NULL && !address_equal(&(*link)->client, client)) {
        link = &(*link)->next;
    }
    return link;
}

/* One more connection of the client, within his own limit. */
static bool hold(struct client_quota *quota, const struct address *client)
{
    struct holder **link = find(quota, client);
    if (*link == NULL) {
        *link = calloc(1, sizeof **link);
        if (*link == NULL) {
            return false;
        }
        (*link)->client = *client;
    }
    if ((*link)->connections >= quota->per_client_max && !is_nobody(client)) {
        return false;
    }
    (*link)->connections++;
    return true;
}

/* One less. */
static void let_go(struct client_quota *quota, const struct address *client)
{
    struct holder **link = find(quota, client);
    struct holder *holder = *link;
    assert(holder != NULL); /* the place was taken */
    if (--holder->connections == 0) {
        *link = holder->next;
        free(holder);
    }
}

/* Under the lock. */
static enum client_quota_fate take(struct client_quota *quota, const struct address *client)
{
    if (!hold(quota, client)) {
        return CLIENT_QUOTA_TOO_MANY; /* and nobody else is to go for him */
    }
    if (quota->connections >= quota->connections_max) {
        let_go(quota, client);
        return CLIENT_QUOTA_FULL;
    }
    quota->connections++;
    return CLIENT_QUOTA_TAKEN;
}

enum client_quota_fate client_quota_take(struct client_quota *quota, const struct address *client)
{
    struct address who = client_of(client);
    pthread_mutex_lock(&quota->lock);
    enum client_quota_fate fate = take(quota, &who);
    pthread_mutex_unlock(&quota->lock);
    return fate;
}

bool client_quota_move(struct client_quota *quota, const struct address *from,
                       const struct address *to)
{
    struct address before = client_of(from);
    struct address after = client_of(to);
    if (address_equal(&before, &after)) {
        return true;
    }
    pthread_mutex_lock(&quota->lock);
    bool moved = hold(quota, &after);
    if (moved) {
        let_go(quota, &before);
    }
    pthread_mutex_unlock(&quota->lock);
    return moved;
}

void client_quota_release(struct client_quota *quota, const struct address *client)
{
    struct address who = client_of(client);
    pthread_mutex_lock(&quota->lock);
    let_go(quota, &who);
    quota->connections--;
    pthread_mutex_unlock(&quota->lock);
}

unsigned client_quota_connections(struct client_quota *quota)
{
    pthread_mutex_lock(&quota->lock);
    unsigned connections = quota->connections;
    pthread_mutex_unlock(&quota->lock);
    return connections;
}
