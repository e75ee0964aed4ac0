/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Health checks: each server is asked a question at each interval, over UDP or its TLS
 * (health_probe.h); any answer with NOERROR or NXDOMAIN is a success. A server is down after
 * down-after failures in a row and up again after up-after successes. Runs in the main thread;
 * workers read the target's flag.
 */
#pragma once

#include "geo/problem.h"

struct config_upstream;
struct event_base;
struct health;
struct upstream_set;
struct upstream_tls;

/* NULL with a reason. config outlives it, and so does tls (NULL if no server has it); its health
 * check is enabled. */
struct health *health_new(struct event_base *base, const struct config_upstream *config,
                          struct upstream_tls *tls, char why[static WHY_MAX]);
void health_free(struct health *health); /* NULL is allowed */

/* Probes the targets of this set from now on; those it knows already go on as they are. */
void health_follow(struct health *health, const struct upstream_set *set);
