/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The workers in the main thread: how many there are, and what they listen on. A start makes them
 * all; a reload that changes `listen` or `workers` brings a plan (listen_plan.h), and what differs
 * is taken up and left in this order: new sockets are bound, new workers run, the kernel is told
 * whom it is to choose, and only then does anybody leave a socket. Workers that are too many retire
 * from the end of the row; no other plan is followed before they are gone, and what is left is
 * closed.
 */
#include <stdlib.h>

#include "forwarder/published.h"
#include "forwarder/server/inherited_sockets.h"
#include "forwarder/server/listen_plan.h"
#include "forwarder/server/server_state.h"

/* The workers that are to go on. */
static size_t wanted(const struct server *server)
{
    return server->plan->workers;
}

static struct worker *make_worker(struct server *server, size_t index, char why[static WHY_MAX])
{
    const struct worker_setup setup = {
        .index = (unsigned)index,
        .sockets = listen_plan_share(server->plan, index),
        .published = TAILQ_LAST(&server->published, server_published_list)->published,
        .set = server_upstreams(server),
    };
    if (setup.sockets == NULL || !server_widen_tap(server, index + 1)) {
        worker_sockets_free(setup.sockets);
        snprintf(why, WHY_MAX, "worker %zu: out of memory or descriptors", index);
        return NULL;
    }
    return worker_new(&server->shared, &setup, why);
}

/* The workers that the plan wants beyond those there are; none runs yet. */
static bool make_workers(struct server *server, char why[static WHY_MAX])
{
    struct worker **workers = realloc(server->workers, wanted(server) * sizeof(struct worker *));
    if (workers == NULL) {
        snprintf(why, WHY_MAX, "out of memory");
        return false;
    }
    server->workers = workers;
    while (server->worker_count < wanted(server)) {
        struct worker *worker = make_worker(server, server->worker_count, why);
        if (worker == NULL) {
            return false;
        }
        workers[server->worker_count++] = worker;
    }
    return true;
}

/* Tells each worker which sockets of the plan its drops are counted by. */
static void note_sockets(struct server *server)
{
    for (size_t i = 0; i < server->worker_count; i++) {
        server->workers[i]->sockets = i < wanted(server) ? server->plan->lists[i] : NULL;
    }
}

bool server_make_workers(struct server *server, char why[static WHY_MAX])
{
    struct problem_list problems;
    snprintf(why, WHY_MAX, "out of memory");
    problem_list_init(&problems);
    server->plan = listen_plan_make(server->rows, server->config, NULL, &problems);
    const struct config_listen *refused =
        server->plan == NULL ? NULL : listen_plan_complete(server->plan, server->inherited, why);
    if (refused != NULL) {
        problem_list_add(&problems, PROBLEM_ERROR, server->config_path, refused->place.line,
                         refused->place.column, "%s", why);
    }
    server_log_problems(&problems);
    problem_list_fini(&problems);
    if (server->plan == NULL || refused != NULL) {
        return false;
    }
    listen_plan_enforce(server->plan, NULL);
    if (!make_workers(server, why)) {
        return false;
    }
    note_sockets(server);
    inherited_sockets_free(server->inherited);
    server->inherited = NULL;
    return true;
}

void server_stop_workers(struct server *server)
{
    for (size_t i = 0; server->running && i < server->worker_count; i++) {
        worker_stop(server->workers[i]);
    }
}

bool server_workers_ended(const struct server *server)
{
    for (size_t i = 0; i < server->worker_count; i++) {
        if (!atomic_load(&server->workers[i]->ended)) {
            return false;
        }
    }
    return true;
}

void server_free_workers(struct server *server)
{
    for (size_t i = 0; i < server->worker_count; i++) {
        worker_free(server->workers[i]);
    }
    free(server->workers);
    server->workers = NULL;
    server->worker_count = 0;
    listen_plan_free(server->plan);
    listener_view_left_fini(&server->left);
}

/* ---- Another plan ---- */

/* New workers run from here on. Those that could not be started are not there. */
static void grow(struct server *server, size_t before, struct problem_list *problems)
{
    char why[WHY_MAX];
    bool whole = make_workers(server, why);
    for (size_t i = before; i < server->worker_count; i++) {
        if (worker_start(server->workers[i], why)) {
            continue;
        }
        whole = false;
        while (server->worker_count > i) {
            worker_free(server->workers[--server->worker_count]);
        }
    }
    if (!whole) {
        const struct config_place *place = &server_generation(server)->config->workers_place;
        problem_list_add(problems, PROBLEM_ERROR, server->config_path, place->line, place->column,
                         "only %zu workers run: %s", server->worker_count, why);
        listen_plan_cut(server->plan, server->worker_count);
    }
}

/* Sockets that are left are no longer asked for their drops. */
static void keep_drops(struct server *server)
{
    uint64_t sum = server->retired_drops;
    for (size_t i = 0; i < server->worker_count; i++) {
        sum += worker_receive_drops(server->workers[i]);
    }
    listener_view_leaving(server->workers, server->worker_count, &server->left);
    note_sockets(server);
    listener_view_has_left(server->workers, server->worker_count, &server->left);
    for (size_t i = 0; i < server->worker_count; i++) {
        sum -= worker_receive_drops(server->workers[i]);
    }
    server->retired_drops = sum;
}

/* Those that run already follow the plan; new ones were made with it. */
static void offer_sockets(struct server *server, size_t workers)
{
    for (size_t i = 0; i < workers; i++) {
        struct worker *worker = server->workers[i];
        worker_offer_sockets(worker, listen_plan_take_offer(server->plan, i));
        if (i >= wanted(server)) {
            worker_retire(worker);
        }
    }
}

void server_follow_plan(struct server *server, struct listen_plan *plan,
                        struct problem_list *problems)
{
    struct listen_plan *before = server->plan;
    size_t workers = server->worker_count;
    char why[WHY_MAX];
    if (listen_plan_complete(plan, NULL, why) != NULL) {
        const struct config_place *place = &server_generation(server)->config->workers_place;
        problem_list_add(problems, PROBLEM_ERROR, server->config_path, place->line, place->column,
                         "workers stay %zu: %s", workers, why);
        listen_plan_cut(plan, before->workers);
    }
    server->plan = plan;
    if (plan->workers > workers) {
        grow(server, workers, problems);
    }
    listen_plan_enforce(plan, before);
    keep_drops(server);
    offer_sockets(server, workers);
    listen_plan_free(before);
    server->unsettled = true;
    log_event(LOG_LEVEL_INFO, "server", "listening as configured anew", "listen=%zu workers=%zu",
              plan->row_count, wanted(server));
}

bool server_is_retiring(const struct server *server)
{
    return server->running && server->worker_count > wanted(server);
}

/* Frees workers at the end of the array that have ended; their counts are kept. */
static void reap(struct server *server)
{
    while (server_is_retiring(server)) {
        struct worker *last = server->workers[server->worker_count - 1];
        if (!atomic_load(&last->ended)) {
            return;
        }
        worker_join(last);
        counters_fold(&server->retired, &last->counters);
        server->worker_count--;
        worker_free(last);
    }
}

void server_collect_workers(struct server *server)
{
    if (server->stopping || !server->running) {
        return;
    }
    reap(server);
    bool settled = server->unsettled && !server_is_retiring(server);
    for (size_t i = 0; settled && i < server->worker_count; i++) {
        settled = worker_is_settled(server->workers[i]);
    }
    if (settled) {
        server->unsettled = false;
        listen_plan_settle(server->plan);
    }
}

/* Leaves the sockets that were handed over for workers that do not exist any more, once what waits
 * in them has been answered. */
static void leave_extras(struct server *server)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct listen_plan *plan =
        listen_plan_make(server->rows, server->config, server->plan, &problems);
    if (plan != NULL && !listen_plan_is_same(plan, server->plan) &&
        listen_plan_offer(plan, server->worker_count)) {
        server_follow_plan(server, plan, &problems);
    } else {
        listen_plan_free(plan);
    }
    server_log_problems(&problems);
    problem_list_fini(&problems);
}

bool server_run_workers(struct server *server, char why[static WHY_MAX])
{
    for (size_t i = 0; i < server->worker_count; i++) {
        if (!worker_start(server->workers[i], why)) {
            while (i > 0) {
                worker_stop(server->workers[--i]);
                worker_join(server->workers[i]);
            }
            return false;
        }
    }
    server->running = true;
    leave_extras(server);
    return true;
}
