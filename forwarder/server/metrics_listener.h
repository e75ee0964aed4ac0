/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * HTTP for Prometheus, in the main thread: GET or HEAD of /metrics, and nothing else. What the
 * answer says is its owner's business. Few connections at a time, each for one request and a short
 * while. With too many, the oldest is closed: so whoever holds connections open, or reads slowly,
 * keeps nobody else out. The main thread waits for none of them.
 */
#pragma once

#include <stdbool.h>

#include "geo/problem.h"

#define METRICS_LISTENER_CONNECTIONS 16U
#define METRICS_LISTENER_DEADLINE_S 10 /* of a connection, from first to last octet */

struct config_address;
struct evbuffer;
struct event_base;
struct metrics_listener;

/* Writes the text of the metrics (Prometheus text format 0.0.4); false when memory is out. */
typedef bool metrics_write_fn(void *ctx, struct evbuffer *out);

/* NULL with a reason, such as that the address is in use. */
struct metrics_listener *metrics_listener_new(struct event_base *base,
                                              const struct config_address *address,
                                              metrics_write_fn *write, void *ctx,
                                              char why[static WHY_MAX]);
void metrics_listener_free(struct metrics_listener *listener); /* NULL is allowed */
