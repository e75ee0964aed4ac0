/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Generations in the main thread: loaded aside, published to all workers, freed when all have left
 * them, and the reloads that asked for them answered.
 *
 * A reload: asked ──► loading (one load serves all that asked alike before it began) ──► adopting
 * (published; workers take it over) ──► answered. A load that is refused is answered at once.
 */
#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

#include "forwarder/published.h"
#include "forwarder/server/control.h"
#include "forwarder/server/server_state.h"
#include "forwarder/server/service_manager.h"
#include "forwarder/server/status.h"
#include "forwarder/server/watch.h"
#include "policy/instant.h"
#include "policy/policy.h"

#define ORDER_TIMER_MAX_S 60 /* the system's clock may be set meanwhile */

struct generation *server_generation(const struct server *server)
{
    const struct server_published *newest = TAILQ_LAST(&server->published, server_published_list);
    return newest == NULL ? NULL : newest->published->generation;
}

void server_log_problems(const struct problem_list *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        char text[LOG_VALUE_MAX];
        char value[LOG_VALUE_MAX];
        problem_format(problem, text, sizeof(text));
        log_event(problem->level == PROBLEM_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "load",
                  "problem", "text=%s", log_quote(text, value, sizeof(value)));
    }
}

bool server_publish(struct server *server, struct loader_result *result)
{
    struct server_published *item = calloc(1, sizeof(*item));
    struct published *published =
        item == NULL ? NULL : published_new(result->generation, server->worker_count);
    if (published == NULL) {
        free(item);
        generation_free(result->generation);
        config_free(result->config);
        return false;
    }
    item->published = published;
    item->config = result->config;
    TAILQ_INSERT_TAIL(&server->published, item, link);
    log_set_level(result->config->log_level);
    for (size_t i = 0; server->running && i < server->worker_count; i++) {
        worker_offer(server->workers[i], published);
    }
    server_keep(server, published->generation);
    return true;
}

static bool same_ask(const struct server_ask *a, const struct server_ask *b)
{
    return a->strictness == b->strictness && a->accept_shrink == b->accept_shrink &&
           a->watched == b->watched;
}

/* Starts a load for all that ask alike, as the first of them asks. */
static void start_load(struct server *server)
{
    struct server_reload *reload = TAILQ_FIRST(&server->asked);
    if (reload == NULL || loader_busy(server->loader)) {
        return;
    }
    const struct server_ask asked = reload->ask;
    struct loader_ask ask = {.strictness = asked.strictness, .accept_shrink = asked.accept_shrink};
    struct server_reload *next;
    for (; reload != NULL; reload = next) {
        next = TAILQ_NEXT(reload, link);
        if (same_ask(&reload->ask, &asked)) {
            TAILQ_REMOVE(&server->asked, reload, link);
            TAILQ_INSERT_TAIL(&server->loading, reload, link);
        }
    }
    if (asked.watched && server->watch != NULL) {
        ask.unfinished = watch_unfinished(server->watch, &ask.unfinished_count);
    }
    service_manager_reloading();
    if (!loader_start(server->loader, server_generation(server), &ask)) {
        struct loader_result result = {0};
        problem_list_init(&result.problems);
        problem_list_add(&result.problems, PROBLEM_ERROR, server->config_path, 0, 0,
                         "cannot start a thread to load in");
        server_on_loaded(server, &result);
    }
}

void server_ask_reload(struct server *server, const struct server_ask *ask, uint64_t ticket)
{
    struct server_reload *reload = calloc(1, sizeof(*reload));
    if (reload == NULL) {
        control_reply(server->control, ticket, "out of memory", NULL);
        return;
    }
    reload->ask = *ask;
    reload->ticket = ticket;
    TAILQ_INSERT_TAIL(&server->asked, reload, link);
    start_load(server);
}

static json_t *reload_result(const struct server *server, const struct problem_list *problems)
{
    const struct generation *generation = server_generation(server);
    char loaded[INSTANT_TEXT_MAX];
    int64_t now = (int64_t)time(NULL);
    return json_pack("{s:I, s:s, s:o, s:o}", "generation", (json_int_t)generation->number, "loaded",
                     instant_format(generation->loaded, loaded), "errors",
                     status_problems(problems, PROBLEM_ERROR, now), "warnings",
                     status_problems(problems, PROBLEM_WARNING, now));
}

/* All that waited for this load now wait for the workers to take over what is in force. */
static void await_adoption(struct server *server, const struct problem_list *problems)
{
    struct server_reload *reload;
    while ((reload = TAILQ_FIRST(&server->loading)) != NULL) {
        TAILQ_REMOVE(&server->loading, reload, link);
        reload->awaited = server_generation(server)->number;
        reload->failed = problems->errors > 0;
        reload->result = reload->ticket == 0 ? NULL : reload_result(server, problems);
        TAILQ_INSERT_TAIL(&server->adopting, reload, link);
    }
}

void server_on_loaded(void *ctx, struct loader_result *result)
{
    struct server *server = ctx;
    server_log_problems(&result->problems);
    if (result->generation != NULL && !server_publish(server, result)) {
        result->generation = NULL;
        problem_list_add(&result->problems, PROBLEM_ERROR, server->config_path, 0, 0,
                         "out of memory");
    }
    problem_list_fini(&server->refused);
    const struct generation *generation = server_generation(server);
    await_adoption(server, &result->problems);
    if (result->generation != NULL) {
        log_event(LOG_LEVEL_INFO, "load", "generation in force",
                  "number=%llu errors=%zu orders=%zu", (unsigned long long)generation->number,
                  result->problems.errors, policy_order_count(generation->policy));
        problem_list_fini(&result->problems);
        server_follow_orders(server);
        server_follow_files(server);
    } else {
        log_event(LOG_LEVEL_ERROR, "load", "refused, the generation in force stays", "number=%llu",
                  (unsigned long long)generation->number);
        server->refused = result->problems;
        server->refused_since = (int64_t)time(NULL);
    }
    server_service_ready(server);
    server_collect(server);
    start_load(server);
}

static uint64_t least(const struct server *server, uint64_t (*value)(const struct worker *worker))
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < server->worker_count; i++) {
        uint64_t number = value(server->workers[i]);
        least = number < least ? number : least;
    }
    return least;
}

static uint64_t adopted(const struct worker *worker)
{
    return atomic_load(&worker->adopted);
}

static uint64_t oldest_published(const struct worker *worker)
{
    return atomic_load(&worker->oldest_published);
}

static void answer_adopted(struct server *server)
{
    uint64_t everywhere = least(server, adopted);
    struct server_reload *reload = TAILQ_FIRST(&server->adopting);
    while (reload != NULL) {
        struct server_reload *next = TAILQ_NEXT(reload, link);
        if (reload->awaited <= everywhere) {
            TAILQ_REMOVE(&server->adopting, reload, link);
            control_reply(server->control, reload->ticket,
                          reload->failed ? "not everything could be loaded" : NULL, reload->result);
            free(reload);
        }
        reload = next;
    }
}

static void free_published(struct server *server, struct server_published *item)
{
    TAILQ_REMOVE(&server->published, item, link);
    tally_fold(&server->tally, item->published);
    published_free(item->published);
    config_free(item->config);
    free(item);
}

/* Not while a load runs: it may be looking at what it was started against, and shares parts. */
void server_collect(struct server *server)
{
    if (!server->running) {
        return;
    }
    answer_adopted(server);
    if (loader_busy(server->loader)) {
        return;
    }
    uint64_t oldest = least(server, oldest_published);
    struct server_published *item = TAILQ_FIRST(&server->published);
    while (item != NULL && TAILQ_NEXT(item, link) != NULL && item->published->number < oldest) {
        struct server_published *next = TAILQ_NEXT(item, link);
        free_published(server, item);
        item = next;
    }
}

void server_follow_orders(struct server *server)
{
    const struct generation *generation = server_generation(server);
    int64_t now = (int64_t)time(NULL);
    struct timeval delay = {.tv_sec = ORDER_TIMER_MAX_S};
    generation_log_changes(generation, server->order_time, now);
    server->order_time = now;
    int64_t next = policy_next_change(generation->policy, now);
    if (next - now < ORDER_TIMER_MAX_S) {
        delay.tv_sec = (time_t)(next - now);
    }
    event_add(server->order_timer, &delay);
}

static void free_queue(struct server_reload_queue *queue)
{
    struct server_reload *reload;
    while ((reload = TAILQ_FIRST(queue)) != NULL) {
        TAILQ_REMOVE(queue, reload, link);
        json_decref(reload->result);
        free(reload);
    }
}

void server_free_generations(struct server *server)
{
    struct server_published *item;
    free_queue(&server->asked);
    free_queue(&server->loading);
    free_queue(&server->adopting);
    while ((item = TAILQ_FIRST(&server->published)) != NULL) {
        free_published(server, item);
    }
}
