/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A row: one client that asks for names below one suffix by one way, on and on, so many a second
 * and so many at a time; and which answers are right for it just now. Several may be, while
 * something changes: a query's answer is right if it was right at any time from its sending on.
 */
#pragma once

#include "test/soak/way.h"

#define ROW_TEXTS 16 /* orders that may be the reason */

/* What is right: a set of these bits. */
enum {
    ROW_FORWARD = 1U << ROW_TEXTS,        /* the resolver's answer */
    ROW_CUT = 1U << (ROW_TEXTS + 1),      /* the resolver's, cut, by UDP */
    ROW_SERVFAIL = 1U << (ROW_TEXTS + 2), /* nobody could be asked in time */
    ROW_CLOSED = 1U << (ROW_TEXTS + 3),   /* connections may end; what waits is asked again */
};

struct asker;

struct row_plan {
    const struct way_kind *kind;
    const char *suffix;
    unsigned window;   /* WAY_SLOTS at most */
    double rate;       /* queries a second */
    bool transfers;    /* all of them are for a zone */
    unsigned turnover; /* queries after which a new connection is made; 0: as the kind wants it */
    uint8_t ecs[32];   /* the data of an ECS option that each query carries */
    size_t ecs_size;
    struct way_route route;
};

/* NULL without memory. The asker outlives it. */
struct row *row_new(struct asker *asker, const struct row_plan *plan);

/* Sets what is right from now on. */
void row_set_right(struct row *row, uint32_t right);

/* Asks as many as are due; seconds is the time since the last turn. Without asking: only what was
 * begun goes on. */
void row_turn(struct row *row, double seconds, bool asking);

/* Gives up what has waited for longer than the asker's lost_ns. */
void row_give_up(struct row *row);

/* Its queries that were asked before this instant (asker_now_ns) and still wait. */
unsigned row_waiting(const struct row *row, uint64_t asked_ns);

/* Answers that were right, of all its queries so far. */
uint64_t row_answers(const struct row *row);
