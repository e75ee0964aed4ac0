/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Connections that come and go, each under a slot and a serial number: so an answer finds its
 * connection, or learns that it is gone, although the slot may have another one by then. Owns the
 * slots, not what stands in them. Of one worker.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slots_slot {
    void *item;      /* NULL: it is free */
    uint32_t serial; /* of the last one that had it */
};

/* Zeroed: empty. */
struct slots {
    struct slots_slot *all; /* capacity of them */
    uint32_t capacity;
    uint32_t count;  /* of items */
    uint32_t serial; /* the last one given */
};

/* Sets the slot and serial number that the item stands under. False when memory is out. */
bool slots_add(struct slots *slots, void *item, uint32_t *slot, uint32_t *serial);

static inline void slots_remove(struct slots *slots, uint32_t slot)
{
    slots->all[slot].item = NULL;
    slots->count--;
}

/* The item in a slot that was given once, if it is still the same one; else NULL. */
static inline void *slots_find(const struct slots *slots, uint32_t slot, uint32_t serial)
{
    return slots->all[slot].serial == serial ? slots->all[slot].item : NULL;
}

void slots_fini(struct slots *slots);
