/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Loading generations aside: forwarder.conf is read anew, and a generation made with it, in a
 * thread of its own while queries flow. One load at a time. A forwarder.conf with an error keeps
 * its last good text.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "forwarder/generation/generation.h"
#include "geo/problem.h"

struct audit_facts;
struct event_base;
struct listen_plan;
struct loader;
struct tls_tickets;
struct upstream_tls;

struct loader_result {
    struct generation *generation; /* NULL: refused, problems say why */
    struct config *config;         /* the configuration of that generation; NULL with it. All that
                                    * it listens to could have been had when the load began */
    struct audit_facts *facts;     /* what that has in force; NULL with it, or memory was out */
    struct config *upstream; /* one whose upstream is to be used from now on; NULL: as before */
    struct upstream_tls *upstream_tls; /* with it: NULL if no server has TLS */
    struct problem_list problems;
};

/* What is asked of a load. */
struct loader_ask {
    enum generation_strictness strictness;
    bool accept_shrink; /* see struct generation_options */
    int64_t now;        /* the time by which orders are judged */
    struct file_identity *unfinished;
    size_t unfinished_count;
    /* What is in use, which stays until the load has ended. NULL: that is not looked at. */
    const struct listen_plan *plan;
    bool leaving; /* sockets that are not in the plan any more are still open */
    const struct config *upstream;
};

/* Frees what nobody has taken out of a result (set to NULL), but for the problems. */
void loader_result_fini(struct loader_result *result);

/* Told in the loop's thread when a load has ended; everything in result is the callee's. */
typedef void loader_done_fn(void *ctx, struct loader_result *result);

/* NULL with a reason. */
struct loader *loader_new(struct event_base *base, const char *config_path, loader_done_fn *done,
                          void *ctx, char why[static WHY_MAX]);
void loader_free(struct loader *loader); /* waits for a load that runs; NULL is allowed */

/* The process ends, and does not wait for the load that runs. Nothing else may follow. */
void loader_forsake(struct loader *loader);

/* What is loaded serves TLS with these keys of tickets, which outlive it. */
void loader_set_tickets(struct loader *loader, struct tls_tickets *tickets);

/* Reads forwarder.conf for the first time: a configuration of the caller's own. NULL with the
 * reasons in problems. What only a start can change is measured against it from then on. */
struct config *loader_read(struct loader *loader, struct problem_list *problems);

/* The last good configuration, once more, as one of the caller's own. NULL when memory is out. */
struct config *loader_good_config(const struct loader *loader);

/* The first load, at once and in this thread, after loader_read. */
void loader_run(struct loader *loader, struct loader_result *result);

/* Starts a load against the generation in force, which stays until it has ended. False if no
 * thread could be had. Takes over ask->unfinished in any case. */
bool loader_start(struct loader *loader, const struct generation *before,
                  const struct loader_ask *ask);
bool loader_busy(const struct loader *loader);
