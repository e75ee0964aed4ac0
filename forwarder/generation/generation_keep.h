/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a successful load leaves under `state`: the versions that are good now, for a start whose
 * files are not. Writing waits for the disk, and coming into force must not; so a load only
 * collects them, and forwarder/server/keeper.h writes them once the generation is in force. A keep
 * needs nothing of its generation, which may be freed meanwhile.
 *
 * After a crash or a loss of power in between, `state` still holds the version before, whole. The
 * next start reads the files themselves and brings `state` up to date; only for a file that cannot
 * be used by then the version before stands in, and the log says so with its SHA-256. An order
 * whose file is gone stays gone, whatever is kept of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "geo/problem.h"

struct generation_keep;
struct generation_work;

/* What this load found good and is to be written, and what may have to be removed; moved out of
 * work, whose load has succeeded. NULL when memory is out. */
struct generation_keep *generation_keep_new(struct generation_work *work);
void generation_keep_free(struct generation_keep *keep); /* NULL is allowed */

/* The number of the generation. */
uint64_t generation_keep_number(const struct generation_keep *keep);

/* Drops from a keep that still waits everything that a later load has a newer version of. Is
 * nothing left of it? */
bool generation_keep_supersede(struct generation_keep *older, const struct generation_keep *newer);

/* Writes what is new, and removes what is gone from disk and configuration; waits for the disk.
 * Keeps are to be written one at a time, in the order of their loads. False with a sentence if
 * something could not be written or removed: the version before is still there, and the next load
 * tries again. */
bool generation_keep_write(struct generation_keep *keep, char why[static WHY_MAX]);
