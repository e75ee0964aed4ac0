/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The in-flight table (see inflight.h). Entries come from an array by a free list, last in first
 * out, so that a quiet worker stays within a few cache lines. Attempts are chained in a hash table
 * by channel and ID; a reference is entry * INFLIGHT_ATTEMPTS + attempt + 1.
 */
#include "forwarder/upstream/inflight.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "forwarder/counters.h"
#include "forwarder/upstream/upstream_counts.h"
#include "forwarder/wire/dns.h"

#define LARGE_SIZE 65536U

struct inflight {
    size_t capacity;
    _Atomic size_t count;           /* written by the owner alone */
    struct inflight_entry *entries; /* capacity of them */
    uint8_t *small;                 /* INFLIGHT_SMALL octets an entry */
    uint8_t *large;                 /* LARGE_SIZE octets each */
    uint32_t *free_entries;         /* indexes, a stack of capacity - count */
    uint32_t free_large[INFLIGHT_LARGE];
    uint32_t free_large_count;
    uint32_t *buckets; /* references */
    uint32_t bucket_mask;
    struct inflight_queue deadlines; /* by arrived_ms, the oldest first */
    struct inflight_queue retries;   /* by asked_ms, the oldest first */
};

/* Address space that takes memory only where it is touched. */
static void *reserve(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static void release(void *memory, size_t size)
{
    if (memory != NULL) {
        munmap(memory, size);
    }
}

static uint32_t buckets_for(size_t capacity)
{
    uint32_t buckets = 64;
    while (buckets < capacity) {
        buckets *= 2;
    }
    return buckets;
}

struct inflight *inflight_new(size_t capacity)
{
    struct inflight *inflight = calloc(1, sizeof *inflight);
    if (inflight == NULL) {
        return NULL;
    }
    uint32_t buckets = buckets_for(capacity);
    inflight->capacity = capacity;
    inflight->bucket_mask = buckets - 1;
    inflight->entries = reserve(capacity * sizeof *inflight->entries);
    inflight->small = reserve(capacity * INFLIGHT_SMALL);
    inflight->large = reserve((size_t)INFLIGHT_LARGE * LARGE_SIZE);
    inflight->buckets = reserve(buckets * sizeof *inflight->buckets);
    inflight->free_entries = malloc(capacity * sizeof *inflight->free_entries);
    if (inflight->entries == NULL || inflight->small == NULL || inflight->large == NULL ||
        inflight->buckets == NULL || inflight->free_entries == NULL) {
        inflight_free(inflight);
        return NULL;
    }
    for (size_t i = 0; i < capacity; i++) {
        inflight->free_entries[i] = (uint32_t)(capacity - 1 - i);
    }
    for (uint32_t i = 0; i < INFLIGHT_LARGE; i++) {
        inflight->free_large[i] = i;
    }
    inflight->free_large_count = INFLIGHT_LARGE;
    TAILQ_INIT(&inflight->deadlines);
    TAILQ_INIT(&inflight->retries);
    return inflight;
}

void inflight_free(struct inflight *inflight)
{
    if (inflight == NULL) {
        return;
    }
    free(inflight->free_entries);
    release(inflight->buckets, (inflight->bucket_mask + 1U) * sizeof *inflight->buckets);
    release(inflight->large, (size_t)INFLIGHT_LARGE * LARGE_SIZE);
    release(inflight->small, inflight->capacity * INFLIGHT_SMALL);
    release(inflight->entries, inflight->capacity * sizeof *inflight->entries);
    free(inflight);
}

size_t inflight_count(const struct inflight *inflight)
{
    return atomic_load_explicit(&inflight->count, memory_order_relaxed);
}

static void set_count(struct inflight *inflight, size_t count)
{
    atomic_store_explicit(&inflight->count, count, memory_order_relaxed);
}

bool inflight_has_room(const struct inflight *inflight, size_t size)
{
    return inflight_count(inflight) < inflight->capacity &&
           (size <= INFLIGHT_SMALL || (size <= LARGE_SIZE && inflight->free_large_count > 0));
}

/* Room for a message, of which there is some: the entry's own, or one of the few large ones. */
static uint8_t *room_for(struct inflight *inflight, uint32_t index, size_t size, uint32_t *large)
{
    *large = 0;
    if (size <= INFLIGHT_SMALL) {
        return inflight->small + (size_t)index * INFLIGHT_SMALL;
    }
    uint32_t room = inflight->free_large[--inflight->free_large_count];
    *large = room + 1;
    return inflight->large + (size_t)room * LARGE_SIZE;
}

/* An entry whose room holds size octets, which are the caller's to fill. */
static struct inflight_entry *add(struct inflight *inflight, size_t size, uint64_t now_ms)
{
    uint32_t large;
    size_t count = inflight_count(inflight);
    if (!inflight_has_room(inflight, size)) {
        return NULL;
    }
    uint32_t index = inflight->free_entries[inflight->capacity - count - 1];
    uint8_t *room = room_for(inflight, index, size, &large);
    set_count(inflight, count + 1);
    struct inflight_entry *entry = &inflight->entries[index];
    entry->message = room;
    entry->message_size = (uint32_t)size;
    entry->reads_answer = false;
    entry->leads = false;
    entry->aliased = false;
    entry->streamed = false;
    entry->awaits_retry = false;
    entry->tries = 0;
    entry->attempt_count = 0;
    entry->subnet = CLIENT_SUBNET_NONE;
    entry->original_size = 0;
    entry->large = large;
    entry->arrived_ms = now_ms;
    entry->asked_ms = now_ms;
    TAILQ_INSERT_TAIL(&inflight->deadlines, entry, deadline);
    return entry;
}

struct inflight_entry *inflight_add(struct inflight *inflight, struct span message, uint64_t now_ms)
{
    struct inflight_entry *entry = add(inflight, message.size, now_ms);
    if (entry != NULL) {
        memcpy(entry->message, message.bytes, message.size);
    }
    return entry;
}

struct inflight_entry *inflight_add_own(struct inflight *inflight, struct span message,
                                        struct span original, uint64_t now_ms)
{
    struct inflight_entry *entry = add(inflight, message.size + original.size, now_ms);
    if (entry == NULL) {
        return NULL;
    }
    memcpy(entry->message, message.bytes, message.size);
    entry->message_size = (uint32_t)message.size;
    entry->original = entry->message + message.size;
    entry->original_size = (uint32_t)original.size;
    memcpy(entry->original, original.bytes, original.size);
    return entry;
}

static uint32_t *bucket_of(const struct inflight *inflight, const struct inflight_channel *channel,
                           uint16_t id)
{
    return &inflight->buckets[(id + channel->number * 0x9E3779B1U) & inflight->bucket_mask];
}

static uint32_t reference_of(const struct inflight *inflight, const struct inflight_entry *entry,
                             unsigned at)
{
    return (uint32_t)(entry - inflight->entries) * INFLIGHT_ATTEMPTS + at + 1;
}

static struct inflight_attempt *attempt_of(const struct inflight *inflight, uint32_t reference)
{
    uint32_t at = reference - 1;
    return &inflight->entries[at / INFLIGHT_ATTEMPTS].attempts[at % INFLIGHT_ATTEMPTS];
}

/* The link that leads to the attempt with this channel and ID, or to the end of its chain. */
static uint32_t *link_to(const struct inflight *inflight, const struct inflight_channel *channel,
                         uint16_t id)
{
    uint32_t *link = bucket_of(inflight, channel, id);
    while (*link != 0) {
        struct inflight_attempt *attempt = attempt_of(inflight, *link);
        if (attempt->channel == channel && attempt->id == id) {
            return link;
        }
        link = &attempt->next;
    }
    return link;
}

static void add_outstanding(const struct inflight_channel *channel, uint32_t change)
{
    _Atomic uint32_t *outstanding = &channel->counts->outstanding;
    uint32_t before = atomic_load_explicit(outstanding, memory_order_relaxed);
    atomic_store_explicit(outstanding, before + change, memory_order_relaxed);
}

bool inflight_attempt(struct inflight *inflight, struct inflight_entry *entry,
                      struct inflight_channel *channel, uint16_t id)
{
    uint32_t *link = link_to(inflight, channel, id);
    if (*link != 0 || entry->attempt_count == INFLIGHT_ATTEMPTS) {
        return false;
    }
    *link = reference_of(inflight, entry, entry->attempt_count);
    entry->attempts[entry->attempt_count] = (struct inflight_attempt){.channel = channel, .id = id};
    entry->attempt_count++;
    entry->tries++;
    channel->in_flight++;
    add_outstanding(channel, 1);
    counters_bump(&channel->counts->queries);
    return true;
}

/* The link that leads to an attempt of this entry. */
static uint32_t *link_of(const struct inflight *inflight, const struct inflight_entry *entry,
                         unsigned at)
{
    const uint32_t reference = reference_of(inflight, entry, at);
    uint32_t *link = bucket_of(inflight, entry->attempts[at].channel, entry->attempts[at].id);
    while (*link != reference) {
        link = &attempt_of(inflight, *link)->next;
    }
    return link;
}

static void unlink_attempt(struct inflight *inflight, const struct inflight_entry *entry,
                           unsigned at)
{
    const struct inflight_attempt *attempt = &entry->attempts[at];
    *link_of(inflight, entry, at) = attempt->next;
    attempt->channel->in_flight--;
    add_outstanding(attempt->channel, UINT32_MAX);
}

/* Forgets one attempt; the last one takes its place. */
static void remove_attempt(struct inflight *inflight, struct inflight_entry *entry, unsigned at)
{
    unlink_attempt(inflight, entry, at);
    const unsigned last = --entry->attempt_count;
    if (at < last) {
        *link_of(inflight, entry, last) = reference_of(inflight, entry, at);
        entry->attempts[at] = entry->attempts[last];
    }
}

bool inflight_abandon(struct inflight *inflight, struct inflight_entry *entry,
                      const struct inflight_channel *channel)
{
    unsigned before = entry->attempt_count;
    for (unsigned at = before; at > 0; at--) {
        if (channel == NULL || entry->attempts[at - 1].channel == channel) {
            remove_attempt(inflight, entry, at - 1);
        }
    }
    return entry->attempt_count < before;
}

struct inflight_entry *inflight_next(const struct inflight *inflight,
                                     const struct inflight_entry *entry)
{
    return entry == NULL ? TAILQ_FIRST(&inflight->deadlines) : TAILQ_NEXT(entry, deadline);
}

struct inflight_entry *inflight_find(const struct inflight *inflight,
                                     const struct inflight_channel *channel, uint16_t id)
{
    uint32_t reference = *link_to(inflight, channel, id);
    return reference == 0 ? NULL : &inflight->entries[(reference - 1) / INFLIGHT_ATTEMPTS];
}

void inflight_take(struct inflight *inflight, struct inflight_entry *entry)
{
    while (entry->attempt_count > 0) {
        entry->attempt_count--;
        unlink_attempt(inflight, entry, entry->attempt_count);
    }
    if (entry->awaits_retry) {
        TAILQ_REMOVE(&inflight->retries, entry, retries);
    }
    TAILQ_REMOVE(&inflight->deadlines, entry, deadline);
    if (entry->large != 0) {
        inflight->free_large[inflight->free_large_count++] = entry->large - 1;
    }
    size_t count = inflight_count(inflight);
    inflight->free_entries[inflight->capacity - count] = (uint32_t)(entry - inflight->entries);
    set_count(inflight, count - 1);
}

struct span inflight_client_query(const struct inflight_entry *entry)
{
    if (entry->original_size > 0) {
        return (struct span){entry->original, entry->original_size};
    }
    dns_set_id(entry->message, entry->client_id);
    return (struct span){entry->message, entry->message_size};
}

void inflight_await_retry(struct inflight *inflight, struct inflight_entry *entry)
{
    if (entry->awaits_retry) {
        TAILQ_REMOVE(&inflight->retries, entry, retries);
    }
    entry->awaits_retry = true;
    TAILQ_INSERT_TAIL(&inflight->retries, entry, retries);
}

struct inflight_entry *inflight_due_retry(struct inflight *inflight, uint64_t asked_ms)
{
    struct inflight_entry *entry = TAILQ_FIRST(&inflight->retries);
    if (entry == NULL || entry->asked_ms > asked_ms) {
        return NULL;
    }
    TAILQ_REMOVE(&inflight->retries, entry, retries);
    entry->awaits_retry = false;
    return entry;
}

struct inflight_entry *inflight_overdue(struct inflight *inflight, uint64_t arrived_ms)
{
    struct inflight_entry *entry = TAILQ_FIRST(&inflight->deadlines);
    return entry != NULL && entry->arrived_ms <= arrived_ms ? entry : NULL;
}

bool inflight_next_due(const struct inflight *inflight, uint64_t retry_ms, uint64_t timeout_ms,
                       uint64_t *due_ms)
{
    const struct inflight_entry *oldest = TAILQ_FIRST(&inflight->deadlines);
    const struct inflight_entry *retry = TAILQ_FIRST(&inflight->retries);
    if (oldest == NULL) {
        return false;
    }
    *due_ms = oldest->arrived_ms + timeout_ms;
    if (retry != NULL && retry->asked_ms + retry_ms < *due_ms) {
        *due_ms = retry->asked_ms + retry_ms;
    }
    return true;
}
