/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Keeping last good versions: what loads leave to be written under `state` is written in a thread
 * of its own, once it is in force. One generation at a time, in order; of those that wait, a newer
 * one drops from the older ones what it holds itself, so that a slow disk never has more to do than
 * the newest version of each file.
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

/* Takes over what a load leaves, and has it written after all that was added before. */
void keeper_add(struct keeper *keeper, struct generation_keep *keep);

/* Leaves the thread alone with what it is writing: the process ends without waiting for it. No
 * other call may follow. */
void keeper_forsake(struct keeper *keeper);

/* Waits until everything is written, at most so long. Is it? */
bool keeper_finish(struct keeper *keeper, unsigned timeout_ms);

/* Waits for the generation that is being written; those that wait are dropped. NULL is allowed. */
void keeper_free(struct keeper *keeper);
