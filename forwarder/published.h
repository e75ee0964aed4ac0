/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A generation as the workers share it: the immutable generation, and for each worker a share of
 * its own: how many of its queries still hold this generation, and how often each order blocked.
 * The server publishes it by an atomic pointer and frees it when every worker has left it.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct country_slots;
struct generation;

struct published_share {
    uint64_t in_flight;         /* the worker's own; queries that keep this generation */
    struct published *older;    /* the worker's own; the one before, while that is in use here */
    _Atomic uint64_t *blocked;  /* by order and country: country_slots_find() */
    _Atomic uint64_t *shadowed; /* for orders with action shadow, by index of policy_order() */
};

struct published {
    struct generation *generation; /* owned */
    uint64_t number;               /* that of the generation; workers leave them in this order */
    struct country_slots *slots;   /* of its orders */
    uint64_t *stored;   /* the main thread's: of each slot, what was collected for disk */
    size_t share_count; /* one a worker */
    struct published_share shares[];
};

/* Takes over the generation; NULL (and the generation is the caller's still) when memory is out. */
struct published *published_new(struct generation *generation, size_t workers);

/* Frees the generation too. NULL is allowed. */
void published_free(struct published *published);

/* Sums of all workers' counts for one order. */
uint64_t published_blocked(const struct published *published, size_t order);
/* The same for one slot. */
uint64_t published_blocked_in(const struct published *published, uint32_t slot);

uint64_t published_shadowed(const struct published *published, size_t order);
