/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writing last good versions, many at once: all of them are written beside those that are kept,
 * synced to disk in one go, renamed, and synced again. So ten thousand versions wait for the disk
 * as often as one does: twice. Whenever the process or the disk stops, each version's folder (see
 * state.h) holds a whole version, the old or the new one.
 */
#pragma once

#include "forwarder/generation/state.h"

struct state_batch;

/* A batch for the versions below one state folder. NULL when memory is out. */
struct state_batch *state_batch_new(const char *root);

/* What was added and not committed is removed. NULL is allowed. */
void state_batch_free(struct state_batch *batch);

/* Writes a version whose key has the batch's root beside the one that is kept, making folders
 * (0750) as needed; no key twice. False with a sentence: it is not in the batch, and nothing of it
 * is left. */
bool state_batch_add(struct state_batch *batch, const struct state_key *key,
                     const struct state_version *version, char why[static WHY_MAX]);

/* Puts what was added in the place of what was kept, and empties the batch. Returns how many
 * versions could not be, with the first reason in why: the ones before are still there. */
size_t state_batch_commit(struct state_batch *batch, char why[static WHY_MAX]);
