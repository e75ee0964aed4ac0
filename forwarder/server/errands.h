/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Work done one after the other in a thread of its own, in the order in which it was given: what
 * must come on disk, however long that takes, while nobody waits. Owns the thread; an errand owns
 * itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "geo/problem.h"

struct errands;

/* Embedded as the first member of what is to be done. run is called once, in the thread, and frees
 * it. */
struct errand {
    void (*run)(struct errand *errand);
    STAILQ_ENTRY(errand) link;
};

/* NULL with a reason. No more than most errands ever wait. */
struct errands *errands_new(size_t most, char why[static WHY_MAX]);

/* Hands an errand over; false if too many wait: it is the caller's still. */
bool errands_add(struct errands *errands, struct errand *errand);

/* Waits until all is done, at most so long; is it? */
bool errands_finish(struct errands *errands, unsigned timeout_ms);

/* Does what waits, and ends the thread. NULL is allowed. */
void errands_free(struct errands *errands);
