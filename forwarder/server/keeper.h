/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Keeping last good versions aside: what loads leave to be written under `state` is written in a
 * thread of its own, once it is in force. One generation at a time and in their order; of those
 * that wait, a newer one takes out of the older what it has itself, so that a slow disk never has
 * more to do than the newest version of each file.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "geo/problem.h"

struct event_base;
struct generation_keep;
struct keeper;

/* Told in the loop's thread how a generation was kept; why is NULL if it was, else a sentence. */
typedef void keeper_done_fn(void *ctx, uint64_t generation, const char *why);

/* NULL with a reason. */
struct keeper *keeper_new(struct event_base *base, keeper_done_fn *done, void *ctx,
                          char why[static WHY_MAX]);

/* Takes over what a load leaves, and writes it as soon as all before it is written. */
void keeper_add(struct keeper *keeper, struct generation_keep *keep);

/* The process ends, and does not wait for what is being written. Nothing else may follow. */
void keeper_forsake(struct keeper *keeper);

/* Waits until all is written, at most so long; is it? */
bool keeper_finish(struct keeper *keeper, unsigned timeout_ms);

/* Waits for what is being written; what waits is given up. NULL is allowed. */
void keeper_free(struct keeper *keeper);
