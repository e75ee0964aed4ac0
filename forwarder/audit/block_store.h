/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How often each order blocked, by country and hour: an SQLite database that one daemon writes and
 * anybody may read meanwhile. It has an identity of its own, made with it, so that its rows can be
 * told from those of another machine. No address of a client and no name is in it.
 *
 *     blocked(hour, order_id, country, count)     hour: seconds since the epoch, of its beginning
 *     meta(key, value)                            source, host; run: what was added last
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geo/problem.h"

#define BLOCK_STORE_FILE "blocks.sqlite" /* below the folder `state` */
#define BLOCK_STORE_HOUR_S 3600

/* "IT", or "unknown". */
#define BLOCK_STORE_COUNTRY_MAX 8

struct block_row {
    char *order;
    char country[BLOCK_STORE_COUNTRY_MAX];
    int64_t hour;
    uint64_t count;
};

enum block_store_outcome {
    BLOCK_STORE_DONE,
    BLOCK_STORE_FAILED,  /* for now: no room, no memory; nothing was changed */
    BLOCK_STORE_LOCKED,  /* somebody else has it, for now; nothing was changed */
    BLOCK_STORE_DAMAGED, /* the file is no such database, or not a whole one any more */
};

struct block_store;

/* Opens the database for writing, makes it if there is none, and looks at all of it. NULL in *out,
 * with a reason, on another outcome than done. */
enum block_store_outcome block_store_open(const char *path, struct block_store **out,
                                          char why[static WHY_MAX]);

/* Opens one that is there for reading. NULL with a reason. */
struct block_store *block_store_open_read(const char *path, char why[static WHY_MAX]);
void block_store_close(struct block_store *store); /* NULL is allowed */

/* Adds all rows in one transaction, or none; batch names them, and what a batch of this name has
 * added is not added again when the one after the other asks for it. */
enum block_store_outcome block_store_add(struct block_store *store, const char *batch,
                                         const struct block_row *rows, size_t count,
                                         char why[static WHY_MAX]);

/* Hours: from <= hour < to. */
struct block_hours {
    int64_t from;
    int64_t to;
};

/* Told of each row of these hours, by hour, order and country; row is borrowed. False ends it. All
 * have been read by then, and the database is free for its writer. */
typedef bool block_store_fn(void *ctx, const struct block_row *row);
bool block_store_read(struct block_store *store, struct block_hours hours, block_store_fn *each,
                      void *ctx, char why[static WHY_MAX]);

/* A value of meta, on the heap; NULL if there is none. */
char *block_store_meta(struct block_store *store, const char *key);
