/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How a worker and the main thread exchange sketches of names without a lock: the main thread
 * offers an empty one (or none, if nobody asks any more), the worker fills it from then on and
 * gives back the one before. One turn at a time. While nobody asks, the worker has none, and does
 * no more than see that.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct name_sketch;

struct name_turns {
    struct name_sketch *filled; /* the worker's: what it counts in; NULL: it does not */
    struct name_sketch *next;   /* the main thread's offer, the worker's from asked to taken */
    struct name_sketch *done;   /* and what comes back, the main thread's once taken */
    _Atomic uint64_t asked;     /* turns */
    _Atomic uint64_t taken;
};

/* For the main thread. Is the last turn over? Then the sketch that came back can be collected
 * (NULL: there was none), and another turn may begin. */
bool name_turns_over(const struct name_turns *turns);
struct name_sketch *name_turns_collect(struct name_turns *turns);

/* Begins a turn; wake the worker after it. Takes over next (NULL: stop). */
void name_turns_ask(struct name_turns *turns, struct name_sketch *next);

/* For the worker: takes part in a turn, if one has begun; true if so. */
bool name_turns_take(struct name_turns *turns);

/* Frees all sketches; no other thread looks at them any more. */
void name_turns_fini(struct name_turns *turns);
