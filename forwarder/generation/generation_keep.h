/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a successful load leaves under `state`: the versions that are good now, for a start whose
 * files are not. A load only collects it, for writing waits for the disk, and coming into force
 * must not: forwarder/server/keeper.h writes it once the generation is in force. Needs nothing of
 * the generation any more, so that one may go meanwhile.
 *
 * Who is killed, or loses power, in between finds the version before under `state`, whole. The next
 * start reads the files themselves, and brings `state` up to date; only a file that cannot be used
 * then stands at the version before, and the log says so with its SHA-256. An order whose file is
 * gone stays gone: its path is looked at, whatever is kept.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "geo/problem.h"

struct generation_keep;
struct generation_work;

/* What this load found good and has to be written, or may have to be removed; moved out of work,
 * whose load has succeeded. NULL when memory is out. */
struct generation_keep *generation_keep_new(struct generation_work *work);
void generation_keep_free(struct generation_keep *keep); /* NULL is allowed */

/* The number of the generation. */
uint64_t generation_keep_number(const struct generation_keep *keep);

/* Takes out of one that waits what a later load has a newer version of. Is nothing left of it? */
bool generation_keep_supersede(struct generation_keep *older, const struct generation_keep *newer);

/* Writes what is new and removes what is gone from disk and configuration; waits for the disk.
 * Those of two generations come in the order of their loads, one at a time. False with a sentence
 * if something could not be written or removed: the versions before are still there, and the next
 * load has it again. */
bool generation_keep_write(struct generation_keep *keep, char why[static WHY_MAX]);
