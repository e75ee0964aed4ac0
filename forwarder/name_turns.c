/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Turns of sketches (see name_turns.h). Invariant: next and done belong to the worker while asked
 * is ahead of taken, and to the main thread otherwise; the two counts order the rest.
 */
#include "forwarder/name_turns.h"

#include <stddef.h>

#include "forwarder/name_sketch.h"

bool name_turns_over(const struct name_turns *turns)
{
    return atomic_load_explicit(&turns->taken, memory_order_acquire) ==
           atomic_load_explicit(&turns->asked, memory_order_relaxed);
}

struct name_sketch *name_turns_collect(struct name_turns *turns)
{
    struct name_sketch *done = turns->done;
    turns->done = NULL;
    return done;
}

void name_turns_ask(struct name_turns *turns, struct name_sketch *next)
{
    turns->next = next;
    atomic_fetch_add_explicit(&turns->asked, 1, memory_order_release);
}

bool name_turns_take(struct name_turns *turns)
{
    uint64_t asked = atomic_load_explicit(&turns->asked, memory_order_acquire);
    if (asked == atomic_load_explicit(&turns->taken, memory_order_relaxed)) {
        return false;
    }
    turns->done = turns->filled;
    turns->filled = turns->next;
    turns->next = NULL;
    atomic_store_explicit(&turns->taken, asked, memory_order_release);
    return true;
}

void name_turns_fini(struct name_turns *turns)
{
    name_sketch_free(turns->filled);
    name_sketch_free(turns->next);
    name_sketch_free(turns->done);
}
