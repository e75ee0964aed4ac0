/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How loads have gone since the start, for monitoring: how many, how long the last one took, when
 * one last failed, and since when the orders have not changed. Main thread only; the time is
 * the caller's.
 */
#pragma once

#include <stdint.h>

struct generation;

enum reload_outcome {
    RELOAD_WHOLE,   /* in force, all of it */
    RELOAD_PARTIAL, /* in force, with the last good version of some file, or without it */
    RELOAD_REFUSED, /* the generation before stays */
    RELOAD_OUTCOMES,
};

struct reload_record {
    uint64_t count[RELOAD_OUTCOMES];
    enum reload_outcome last;
    uint64_t began_us; /* monotonic */
    uint64_t took_us;  /* the last one */
    int64_t succeeded; /* when one last ended as RELOAD_WHOLE; 0: none has */
    int64_t failed;    /* as anything else */
    int64_t orders_changed;
};

void reload_record_begin(struct reload_record *record, uint64_t now_us);
void reload_record_end(struct reload_record *record, enum reload_outcome outcome, uint64_t now_us,
                       int64_t now);

/* A generation comes into force in place of another one (NULL: it is the first). */
void reload_record_publish(struct reload_record *record, const struct generation *before,
                           const struct generation *after);
