/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the rows of an asker share.
 */
#pragma once

#include <event2/event.h>
#include <stdint.h>
#include <time.h>

#include "test/soak/phase.h"
#include "test/soak/row.h"

#define ASKER_PHASES 4096
#define ASKER_ROWS 128

struct asker {
    struct event_base *base;
    struct row *rows[ASKER_ROWS];
    unsigned row_count;
    struct phase phases[ASKER_PHASES];
    unsigned phase; /* now */
    const char *texts[ROW_TEXTS];
    uint64_t seed; /* what is asked depends on it */
    uint64_t
        patience_ns;  /* time that passed while the asker ran: what it slept through waits there */
    uint64_t lost_ns; /* of patience */
    unsigned show;    /* so many more wrong answers are shown */
    bool asking;
};

static inline uint64_t asker_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}
