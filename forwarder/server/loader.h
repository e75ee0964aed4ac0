/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Loading generations aside: forwarder.conf is read anew, and a generation made with it, in a
 * thread of its own while queries flow. One load at a time. A forwarder.conf with an error keeps
 * its last good text.
 */
#pragma once

#include <stdbool.h>

#include "forwarder/generation/generation.h"
#include "geo/problem.h"

struct event_base;
struct loader;
struct tls_tickets;

struct loader_result {
    struct generation *generation; /* NULL: refused, problems say why */
    struct config *config;         /* the configuration of that generation; NULL with it */
    struct problem_list problems;
};

/* What is asked of a load. */
struct loader_ask {
    enum generation_strictness strictness;
    bool accept_shrink; /* see struct generation_options */
    struct file_identity *unfinished;
    size_t unfinished_count;
};

/* Told in the loop's thread when a load has ended; everything in result is the callee's. */
typedef void loader_done_fn(void *ctx, struct loader_result *result);

/* NULL with a reason. */
struct loader *loader_new(struct event_base *base, const char *config_path, loader_done_fn *done,
                          void *ctx, char why[static WHY_MAX]);
void loader_free(struct loader *loader); /* waits for a load that runs; NULL is allowed */

/* What is loaded serves TLS with these keys of tickets, which outlive it. */
void loader_set_tickets(struct loader *loader, struct tls_tickets *tickets);

/* Reads forwarder.conf for the first time: a configuration of the caller's own. NULL with the
 * reasons in problems. What only a start can change is measured against it from then on. */
struct config *loader_read(struct loader *loader, struct problem_list *problems);

/* The first load, at once and in this thread, after loader_read. */
void loader_run(struct loader *loader, struct loader_result *result);

/* Starts a load against the generation in force, which stays until it has ended. False if no
 * thread could be had. Takes over ask->unfinished in any case. */
bool loader_start(struct loader *loader, const struct generation *before,
                  const struct loader_ask *ask);
bool loader_busy(const struct loader *loader);
