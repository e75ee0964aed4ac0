/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A c-ares channel on a libevent base: one event for each of its descriptors, one timer for its
 * time-outs. For lookups outside the path of a query: names of upstreams and health probes.
 * Callbacks of c-ares may run inside the call that starts a lookup.
 */
#pragma once

#include <ares.h>

#include "geo/problem.h"

struct ares_loop;
struct event_base;

struct ares_loop_options {
    const char *servers; /* "192.0.2.1:53,[2001:db8::1]:53"; NULL: the system's */
    unsigned timeout_ms; /* of one try */
    unsigned tries;
    int flags; /* ARES_FLAG_… */
};

/* NULL with a reason. */
struct ares_loop *ares_loop_new(struct event_base *base, const struct ares_loop_options *options,
                                char why[static WHY_MAX]);

/* Ends all lookups: their callbacks run with ARES_EDESTRUCTION. NULL is allowed. */
void ares_loop_free(struct ares_loop *loop);

ares_channel ares_loop_channel(struct ares_loop *loop);

/* To be called after each lookup that was started. */
void ares_loop_started(struct ares_loop *loop);
