/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the workers listen on: for each worker its own socket for each address and transport
 * (SO_REUSEPORT), so that the kernel spreads clients and no two workers share a queue. A plan is
 * made from the configuration and the plan before, whose sockets it shares wherever the address is
 * the same; nothing of the plan before changes by that, so a plan that cannot be made leaves
 * everything as it was.
 *
 * An address that another process listens to cannot be had, though the kernel would let us share it
 * with our own user's: the first socket of each address is bound alone, those of the other workers
 * then share it. That is not asked of an address at which sockets of our own are already.
 *
 * The kernel numbers the sockets of one address in the order in which they were bound. Worker i has
 * number i: workers are added behind the last one and taken away from the end.
 *
 * A plan owns its descriptors; workers get others of the same sockets (listen_plan_share).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "forwarder/listeners.h"
#include "geo/problem.h"

struct config;
struct inherited_sockets;
struct listen_rows;

struct listen_plan {
    struct listen_rows *registry;      /* of the rows and of all numbers; outlives it */
    const struct config_listen **rows; /* of listen_rows.h */
    size_t row_count;
    size_t workers;
    size_t room; /* items of lists */
    int *claims; /* of each row: the first worker's socket until that takes it; -1: none */
    size_t receive_buffer;          /* octets to ask for; only a start can change that */
    struct worker_sockets **offers; /* for workers that run, until they are taken */
    size_t offer_count;
    struct worker_sockets *lists[]; /* one a worker */
};

/* How many workers the configuration wants. */
size_t listen_plan_workers(const struct config *config);

/* Could all that config lists beyond the plan before be listened to? Looked at before a load, whose
 * end is when listen_plan_make binds them: what comes to them meanwhile goes where it went before.
 * With leaving, sockets of our own may still be at addresses that the plan before has left: whether
 * others are there too only listen_plan_make will see. False, and said in problems, at its place,
 * if an address cannot be had. */
bool listen_plan_try(const struct config *config, const struct listen_plan *before, bool leaving,
                     struct problem_list *problems);

/* A plan for all that config lists. Sockets of addresses that are new are bound; those that are
 * missing only because there are more workers than before are left to listen_plan_complete, for
 * what the kernel puts into them must not wait long. NULL, and said in problems, at their places,
 * if an address cannot be had; nothing is left open then. before may be NULL. */
struct listen_plan *listen_plan_make(struct listen_rows *rows, const struct config *config,
                                     const struct listen_plan *before,
                                     struct problem_list *problems);

/* Opens what is missing: where one was handed over by the service manager (inherited may be NULL)
 * that is taken, and by the last worker all of that kind that are left. NULL when it is whole, else
 * the row that cannot be had, with a reason: the plan is whole for as many workers as the one
 * before had. */
const struct config_listen *listen_plan_complete(struct listen_plan *plan,
                                                 struct inherited_sockets *inherited,
                                                 char why[static WHY_MAX]);

/* Makes it one for no more than so many workers. */
void listen_plan_cut(struct listen_plan *plan, size_t workers);

/* Does the configuration want nothing else than this plan? */
bool listen_plan_is_wanted(const struct listen_plan *plan, const struct config *config);

/* Does the plan want nothing else than the one before? */
bool listen_plan_is_same(const struct listen_plan *plan, const struct listen_plan *before);

/* The list for a worker: descriptors of its own. NULL when memory or descriptors are out. */
struct worker_sockets *listen_plan_share(const struct listen_plan *plan, size_t worker);

/* Makes such lists for so many workers that run, those that are to listen on nothing among them:
 * before anything is changed, so that nothing is left half done. False when memory or descriptors
 * are out. Each is then taken once; those that are not taken are freed with the plan. */
bool listen_plan_offer(struct listen_plan *plan, size_t workers);
struct worker_sockets *listen_plan_take_offer(struct listen_plan *plan, size_t worker);

/* From now on the kernel puts new queries and connections into the sockets of plan alone; those of
 * before that are not among them are told to the service manager, too. */
void listen_plan_enforce(const struct listen_plan *plan, const struct listen_plan *before);

/* All sockets that plan does not list are closed: the kernel spreads clients by itself again. */
void listen_plan_settle(const struct listen_plan *plan);

/* Closes its descriptors. NULL is allowed. */
void listen_plan_free(struct listen_plan *plan);
