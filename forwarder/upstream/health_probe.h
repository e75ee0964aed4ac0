/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One question of a health check to one server, by the transport that its queries take: UDP, or TLS
 * with its certificate verified each time. With `send-client: proxy-protocol` it begins with a
 * PROXY header that speaks for nobody (LOCAL). What an answer is worth is health.h's business.
 */
#pragma once

#include <stdbool.h>

#include "forwarder/wire/span.h"

struct event_base;
struct health_probe;
struct upstream_target;
struct upstream_tls;

/* The answer; or an empty one: none in time, the connection broke, or the certificate is refused.
 * Called once, from the loop, unless the probe is freed before; freeing it is the callee's. */
typedef void health_probe_fn(void *ctx, struct span answer);

struct health_probe_question {
    struct upstream_target *target; /* outlives the probe */
    struct upstream_tls *tls;
    struct span query; /* copied */
    bool proxied;
    unsigned timeout_ms; /* for all of it */
    health_probe_fn *on_answer;
    void *ctx;
};

/* NULL if nothing could be sent. */
struct health_probe *health_probe_new(struct event_base *base,
                                      const struct health_probe_question *question);
void health_probe_free(struct health_probe *probe); /* NULL is allowed */
