/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where the configured servers are: addresses as they stand, host names by c-ares, asked of the
 * bootstrap servers, followed as TTLs end. A lookup that fails keeps the addresses there are. Runs
 * in the main thread; hands a new set of targets on whenever the addresses have changed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geo/problem.h"

struct config_upstream;
struct event_base;
struct upstream_names;
struct upstream_set;

/* Told of each new set, which is the callee's to free. Sets have ascending numbers. */
typedef void upstream_names_fn(void *ctx, struct upstream_set *set);

/* NULL with a reason. config outlives it. The first set comes by upstream_names_start. */
struct upstream_names *upstream_names_new(struct event_base *base,
                                          const struct config_upstream *config, size_t workers,
                                          char why[static WHY_MAX]);
void upstream_names_free(struct upstream_names *names); /* NULL is allowed */

/* Starts looking up. The first set is handed on once all look-ups have ended, which is now if there
 * are none, or after a little while; then later ones as they come. Their numbers are greater than
 * after. False when memory is out. A set may be empty: the names are still being looked up. */
bool upstream_names_start(struct upstream_names *names, uint64_t after, upstream_names_fn *on_set,
                          void *ctx);
