/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Records from one thread to one other: a ring of octets, each record in one piece. Neither side
 * ever waits for the other, allocates, or calls the system: where there is no room the writer
 * learns it at once.
 */
#pragma once

#include "forwarder/wire/span.h"

struct tap_ring;

/* capacity: a power of two. NULL when memory is out. */
struct tap_ring *tap_ring_new(size_t capacity);
void tap_ring_free(struct tap_ring *ring); /* NULL is allowed */

/* For the thread that writes: room for a record of at most size octets, or NULL; and the record,
 * of which the first size octets of that room are taken. */
uint8_t *tap_ring_room(struct tap_ring *ring, size_t size);
void tap_ring_put(struct tap_ring *ring, size_t size);

/* For the thread that reads: the next record, empty if there is none; borrowed until
 * tap_ring_release, which gives back the room of all that were read. */
struct span tap_ring_read(struct tap_ring *ring);
void tap_ring_release(struct tap_ring *ring);
