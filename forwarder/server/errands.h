/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Work that is done in a thread of its own, one errand after the other in the order in which they
 * were added: what must get to disk, however long that takes, while nobody waits. Owns the thread;
 * an errand owns itself.
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

/* most: errands that may wait at once. NULL with a reason. */
struct errands *errands_new(size_t most, char why[static WHY_MAX]);

/* Hands an errand over. False if too many wait: it still belongs to the caller. */
bool errands_add(struct errands *errands, struct errand *errand);

/* How many are not done yet. */
size_t errands_waiting(struct errands *errands);

/* Waits until all are done, at most so long. Are they? */
bool errands_finish(struct errands *errands, unsigned timeout_ms);

/* Lets the thread finish what waits, and ends it. NULL is allowed. */
void errands_free(struct errands *errands);
