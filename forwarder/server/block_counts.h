/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What workers counted, by order, country and hour, on its way to the database under `state`
 * (forwarder/audit/block_store.h): collected in the main thread every so often, stored by a thread
 * of its own. A crash loses what was not stored yet, at most what came between two collections, and
 * counts nothing twice. What cannot be stored waits in memory, within bounds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "forwarder/trouble.h"
#include "geo/problem.h"

struct block_counts;
struct published;

/* The state of the counts. */
struct block_counts_state {
    struct trouble unstored; /* why nothing can be stored */
    char aside[WHY_MAX];     /* where a damaged database was put aside; "": none was */
    int64_t aside_since;
    bool locked;      /* that is because somebody else has the database */
    uint64_t waiting; /* blocks that were handed over to be stored, and are not yet */
    uint64_t lost;    /* blocks that were dropped because too many rows waited */
};

/* state is the folder under which they are stored. NULL with a reason. */
struct block_counts *block_counts_new(const char *state, int64_t now, char why[static WHY_MAX]);

/* Takes what a generation has counted since the last call, and counts it for the current hour. */
void block_counts_collect(struct block_counts *counts, struct published *published);

/* Has what was collected stored; what is collected from now on counts for the hour of now. */
void block_counts_store(struct block_counts *counts, int64_t now);

void block_counts_state(struct block_counts *counts, struct block_counts_state *out);

/* Has tried once more what another try may help: what found the database locked, or no room among
 * what waits. False: there is no such thing. */
bool block_counts_retry(struct block_counts *counts, int64_t now);

/* Blocks that were collected, and are not stored. */
uint64_t block_counts_left(struct block_counts *counts);

/* Waits until everything is stored, or known not to be, at most so long. Is it over? */
bool block_counts_finish(struct block_counts *counts, unsigned timeout_ms);
void block_counts_free(struct block_counts *counts); /* NULL is allowed */
