/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The connections of one worker: a table of slots with serial numbers, so that an answer finds its
 * connection or learns that it is gone; a queue of those that are not read for now, and one of
 * those that are to be closed. Knows of a connection only the struct stream_place in it, and calls
 * back.
 *
 * Except in stream_table_free and stream_table_drain no connection is closed, or read again, inside
 * a call of this module: that is done from the loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct event_base;
struct origin_stream;
struct stream_table;

/* Of one connection; part of it. */
struct stream_place {
    struct stream_table *table;
    uint32_t slot;
    uint32_t serial; /* tells it from others that held the slot before */
    bool stalled;    /* in the queue of those that are not read */
    bool doomed;     /* in the queue of those that are to be closed */
    TAILQ_ENTRY(stream_place) waiting;
};

struct stream_table_events {
    void (*close)(struct stream_place *place);  /* by stream_table_remove, and free it */
    void (*resume)(struct stream_place *place); /* it may be read again; it may stall at once */
    void (*drain)(struct stream_place *place);  /* takes no more queries, ends as it has answered */
    void (*turn)(void *ctx);                    /* before places are resumed */
    void *ctx;
};

/* NULL when memory is out. */
struct stream_table *stream_table_new(struct event_base *base,
                                      const struct stream_table_events *events);
void stream_table_free(struct stream_table *table); /* closes all; NULL is allowed */

/* Gives a place to a connection. False when memory is out. */
bool stream_table_add(struct stream_table *table, struct stream_place *place);
void stream_table_remove(struct stream_place *place);

/* Connections that have a place. */
size_t stream_table_count(const struct stream_table *table);

/* The connection that an origin names, if it is still the same one and not doomed; else NULL. */
struct stream_place *stream_table_find(const struct stream_table *table,
                                       const struct origin_stream *origin);

/* It will be closed, from the loop. May be called twice. */
void stream_table_doom(struct stream_place *place);

/* It is not read any more until it is resumed. False if that is so already, or it is doomed. */
bool stream_table_stall(struct stream_place *place);

/* Every stalled one is resumed from the loop, once. */
void stream_table_resume(struct stream_table *table);

/* Calls drain for each connection that is_meant (NULL: for all) but the doomed ones; none of them
 * is stalled any more then. */
typedef bool stream_table_test_fn(const struct stream_place *place, const void *ctx);
void stream_table_drain(struct stream_table *table, stream_table_test_fn *is_meant,
                        const void *ctx);
