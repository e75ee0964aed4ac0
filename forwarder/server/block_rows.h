/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of blocks in memory, until they can be stored: a list that grows, and can be made short
 * again by adding up what has the same order, country and hour.
 */
#pragma once

#include "forwarder/audit/block_store.h"
#include "geo/country.h"

struct block_rows {
    struct block_row *rows; /* order is owned */
    size_t count;
    size_t capacity;
};

/* False when memory is out: the row is not in it. */
bool block_rows_add(struct block_rows *rows, const char *order, struct country country,
                    int64_t hour, uint64_t count);

/* Moves all of from behind rows, and adds up what is alike. Of what is too much then, more than
 * most rows, the last are given up; returns how many blocks these were, or all of from if memory is
 * out. */
uint64_t block_rows_merge(struct block_rows *rows, struct block_rows *from, size_t most);

void block_rows_fini(struct block_rows *rows); /* empty and usable again afterwards */
