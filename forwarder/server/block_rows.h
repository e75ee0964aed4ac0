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

/* Appends all of from, which is then empty, and adds up rows that are alike. If there are more than
 * most rows then, the last are dropped. Returns how many blocks were lost so; if memory is out, all
 * of from. */
uint64_t block_rows_merge(struct block_rows *rows, struct block_rows *from, size_t most);

/* Blocks, of all rows. */
uint64_t block_rows_sum(const struct block_rows *rows);

void block_rows_fini(struct block_rows *rows); /* empty and usable again afterwards */
