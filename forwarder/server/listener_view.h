/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What operators see of the listeners: each address and transport with what waits there, what was
 * dropped, and how much may wait, over the sockets that all workers have for it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "geo/problem.h"

struct config_listen;
struct worker;

/* What sockets had dropped that are closed now; all zero at first. */
struct listener_view_left {
    struct listener_view *views; /* their drops alone; owned */
    size_t count;
};

struct listener_view {
    const struct config_listen *listen;
    size_t receive_buffer; /* octets, of the socket that has the least; 0 for streams */
    uint64_t drops;
    uint32_t waiting; /* connections to be accepted */
};

/* One view for each listener of the workers, in the order of the first worker's; its drops include
 * those of closed sockets in left (NULL: there are none). The caller frees the array. NULL, with
 * *count 0, when memory is out. */
struct listener_view *listener_view_all(struct worker *const *workers, size_t worker_count,
                                        const struct listener_view_left *left, size_t *count);

/* To keep the drops of sockets that will be closed: call the first before, and the second after,
 * the workers' lists of sockets change. When memory is out, those drops are forgotten. */
void listener_view_leaving(struct worker *const *workers, size_t worker_count,
                           struct listener_view_left *left);
void listener_view_has_left(struct worker *const *workers, size_t worker_count,
                            struct listener_view_left *left);
void listener_view_left_fini(struct listener_view_left *left);

/* Did a listener get a smaller receive buffer than was asked for (octets)? Then why says so. */
bool listener_view_is_short(const struct listener_view *view, size_t asked,
                            char why[static WHY_MAX]);

/* Logs that for all listeners, once the workers have their sockets. */
void listener_view_log(struct worker *const *workers, size_t worker_count, size_t asked);
