/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Records in a ring (see tap_ring.h). Positions count octets since the start and never wrap (in 64
 * bits); a record is its size and its octets, rounded up so that the next size is aligned. What
 * does not fit before the end of the ring begins at its start, behind a mark that says so.
 *
 * Invariant: read <= taken, written - read <= capacity. The writer alone stores written, the reader
 * alone read; what either leaves to the other it releases with that store.
 */
#include "forwarder/tap/tap_ring.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

#define HEAD sizeof(uint64_t)
#define SKIP UINT64_MAX /* in place of a size: the next record is at the ring's start */
#define CACHE_LINE 64

struct tap_ring {
    alignas(CACHE_LINE) _Atomic uint64_t written;
    uint64_t begun; /* where the record begins for which room was given; the writer's */
    uint8_t *octets;
    size_t capacity;
    alignas(CACHE_LINE) _Atomic uint64_t read;
    uint64_t taken; /* up to where it was read, and not released; the reader's */
};

struct tap_ring *tap_ring_new(size_t capacity)
{
    struct tap_ring *ring = aligned_alloc(CACHE_LINE, sizeof *ring);
    if (ring == NULL) {
        return NULL;
    }
    memset(ring, 0, sizeof *ring);
    ring->capacity = capacity;
    ring->octets = malloc(capacity);
    if (ring->octets == NULL) {
        tap_ring_free(ring);
        return NULL;
    }
    return ring;
}

void tap_ring_free(struct tap_ring *ring)
{
    if (ring != NULL) {
        free(ring->octets);
        free(ring);
    }
}

static uint64_t whole(size_t size)
{
    return HEAD + ((size + HEAD - 1) & ~(HEAD - 1));
}

static uint8_t *octets_at(const struct tap_ring *ring, uint64_t position)
{
    return ring->octets + (position & (ring->capacity - 1));
}

/* Octets from a position to the end of the ring; never 0, as records are aligned. */
static uint64_t until_end(const struct tap_ring *ring, uint64_t position)
{
    return ring->capacity - (position & (ring->capacity - 1));
}

static void put_size(const struct tap_ring *ring, uint64_t position, uint64_t size)
{
    memcpy(octets_at(ring, position), &size, sizeof size);
}

uint8_t *tap_ring_room(struct tap_ring *ring, size_t size)
{
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    uint64_t skipped = until_end(ring, written);
    ring->begun = written;
    if (skipped < whole(size)) {
        ring->begun += skipped;
    }
    if (size > ring->capacity - HEAD || ring->begun + whole(size) - read > ring->capacity) {
        return NULL;
    }
    if (ring->begun != written) {
        put_size(ring, written, SKIP);
    }
    return octets_at(ring, ring->begun) + HEAD;
}

void tap_ring_put(struct tap_ring *ring, size_t size)
{
    put_size(ring, ring->begun, size);
    atomic_store_explicit(&ring->written, ring->begun + whole(size), memory_order_release);
}

struct span tap_ring_read(struct tap_ring *ring)
{
    uint64_t size;
    if (ring->taken == atomic_load_explicit(&ring->written, memory_order_acquire)) {
        return (struct span){0};
    }
    memcpy(&size, octets_at(ring, ring->taken), sizeof size);
    if (size == SKIP) {
        ring->taken += until_end(ring, ring->taken);
        memcpy(&size, octets_at(ring, ring->taken), sizeof size);
    }
    struct span record = {octets_at(ring, ring->taken) + HEAD, (size_t)size};
    ring->taken += whole((size_t)size);
    return record;
}

void tap_ring_release(struct tap_ring *ring)
{
    atomic_store_explicit(&ring->read, ring->taken, memory_order_release);
}
