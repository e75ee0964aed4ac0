/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Counts of blocks from the exports of several machines, added up. A row belongs to the database it
 * was exported from ("source"): the same row given twice counts once, and of two exports of one
 * hour that was not over yet, the later, which is the greater.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forwarder/audit/block_store.h"
#include "geo/problem.h"

struct export_row {
    char *source;
    struct block_row row; /* its order is owned */
};

struct export_merge {
    struct export_row *rows;
    size_t count;
    size_t capacity;
};

/* Takes a row over from a line of an export. False with a reason if it is none. */
bool export_merge_add(struct export_merge *merge, const char *line, size_t size,
                      char why[static WHY_MAX]);

/* Adds up over sources: afterwards rows are by hour, order and country, and source is NULL. False
 * if a count grew too large. */
bool export_merge_sum(struct export_merge *merge);

void export_merge_fini(struct export_merge *merge);
