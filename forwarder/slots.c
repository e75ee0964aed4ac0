/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Slots with serial numbers (see slots.h).
 */
#include "forwarder/slots.h"

#include <stdlib.h>

#define FIRST_CAPACITY 64U

/* Room for one more at least. */
static bool grow(struct slots *slots)
{
    uint32_t capacity = slots->capacity == 0 ? FIRST_CAPACITY : slots->capacity * 2;
    struct slots_slot *all = reallocarray(slots->all, capacity, sizeof *all);
    if (all == NULL) {
        return false;
    }
    for (uint32_t i = slots->capacity; i < capacity; i++) {
        all[i] = (struct slots_slot){0};
    }
    slots->all = all;
    slots->capacity = capacity;
    return true;
}

bool slots_add(struct slots *slots, void *item, uint32_t *slot, uint32_t *serial)
{
    if (slots->count == slots->capacity && !grow(slots)) {
        return false;
    }
    uint32_t at = slots->serial % slots->capacity;
    while (slots->all[at].item != NULL) {
        at = (at + 1) % slots->capacity;
    }
    slots->count++;
    slots->all[at] = (struct slots_slot){item, ++slots->serial};
    *slot = at;
    *serial = slots->serial;
    return true;
}

void slots_fini(struct slots *slots)
{
    free(slots->all);
    *slots = (struct slots){0};
}
