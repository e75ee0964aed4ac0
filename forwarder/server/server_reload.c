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

#include "forwarder/monotonic.h"
#include "forwarder/published.h"
#include "forwarder/server/audit_facts.h"
#include "forwarder/server/control.h"
#include "forwarder/server/listen_plan.h"
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
        problem_format(problem, text, sizeof text);
        log_event(problem->level == PROBLEM_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "load",
                  "problem", "text=%s", log_quote(text, value, sizeof value));
    }
}

bool server_refused(const struct server *server, const char *key, const char *why)
{
    const struct config_place place = config_place_of(server->config, key);
    struct problem_list problems;
    problem_list_init(&problems);
    problem_list_add(&problems, PROBLEM_ERROR, server->config_path, place.line, place.column, "%s",
                     why);
    server_log_problems(&problems);
    problem_list_fini(&problems);
    return false;
}

void server_load_begins(struct server *server)
{
    reload_record_begin(&server->reloads, monotonic_us());
}

void server_load_ended(struct server *server, bool loaded, const struct problem_list *problems)
{
    enum reload_outcome outcome = !loaded                ? RELOAD_REFUSED
                                  : problems->errors > 0 ? RELOAD_PARTIAL
                                                         : RELOAD_WHOLE;
    reload_record_end(&server->reloads, outcome, monotonic_us(), server_now(server));
}

/* Into the list of those in force, with room for all workers there are and will be. */
static struct published *insert(struct server *server, struct loader_result *result,
                                const struct listen_plan *plan)
{
    size_t planned = plan != NULL ? plan->workers : listen_plan_workers(server->config);
    size_t room = planned > server->worker_count ? planned : server->worker_count;
    struct server_published *item = calloc(1, sizeof *item);
    struct published *published = item == NULL ? NULL : published_new(result->generation, room);
    if (published == NULL) {
        free(item);
        return NULL;
    }
    reload_record_publish(&server->reloads, server_generation(server), published->generation);
    item->published = published;
    item->config = result->config;
    result->generation = NULL;
    result->config = NULL;
    TAILQ_INSERT_TAIL(&server->published, item, link);
    return published;
}

/* What is not part of the generation is offered before it: a worker that has adopted this has seen
 * all of it. */
static void put_into_force(struct server *server, struct loader_result *result,
                           struct listen_plan *plan)
{
    char why[WHY_MAX];
    if (result->upstream != NULL &&
        !server_follow_upstream(server, result->upstream, result->upstream_tls, why)) {
        problem_list_add(&result->problems, PROBLEM_ERROR, server->config_path, 0, 0,
                         "upstream stays as it is: %s", why);
    }
    if (plan != NULL) {
        server_follow_plan(server, plan, &result->problems);
    }
    result->upstream = NULL;
    result->upstream_tls = NULL;
}

bool server_publish(struct server *server, struct loader_result *result, struct listen_plan *plan)
{
    struct published *published = insert(server, result, plan);
    if (published == NULL) {
        listen_plan_free(plan);
        loader_result_fini(result);
        return false;
    }
    put_into_force(server, result, plan);
    log_set_level(published->generation->config->log_level);
    log_set_format(published->generation->config->log_format);
    for (size_t i = 0; server->running && i < server->worker_count; i++) {
        worker_offer(server->workers[i], published);
    }
    server_keep(server, published->generation);
    server_audit_generation(server, result->facts);
    result->facts = NULL;
    return true;
}

static bool same_ask(const struct server_ask *a, const struct server_ask *b)
{
    return a->strictness == b->strictness && a->accept_shrink == b->accept_shrink &&
           a->watched == b->watched;
}

/* The one that is followed already, though its servers may not be known yet. */
static const struct server_era *latest_era(const struct server *server)
{
    return server->next_era != NULL ? server->next_era : server->era;
}

/* Are sockets being left? */
static bool is_leaving(const struct server *server)
{
    return server->unsettled || server_is_retiring(server);
}

/* Starts a load for all that ask alike, as the first of them asks. */
static void start_load(struct server *server)
{
    struct server_reload *reload = TAILQ_FIRST(&server->asked);
    if (reload == NULL || !server->running || loader_busy(server->loader) || server->holds) {
        return;
    }
    const struct server_ask asked = reload->ask;
    struct loader_ask ask = {
        .strictness = asked.strictness,
        .accept_shrink = asked.accept_shrink,
        .now = server_now(server),
        .plan = server->plan,
        .leaving = is_leaving(server),
        .upstream = latest_era(server)->config,
    };
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
    server_load_begins(server);
    if (!loader_start(server->loader, server_generation(server), &ask)) {
        struct loader_result result = {0};
        problem_list_init(&result.problems);
        problem_list_add(&result.problems, PROBLEM_ERROR, server->config_path, 0, 0,
                         "cannot start a thread to load in");
        server_on_loaded(server, &result);
    }
}

void server_load_asked(struct server *server)
{
    if (!server->stopping) {
        start_load(server);
    }
}

void server_ask_reload(struct server *server, const struct server_ask *ask, uint64_t ticket)
{
    struct server_reload *reload = calloc(1, sizeof *reload);
    if (reload == NULL) {
        control_reply(server->control, ticket, "out of memory", NULL);
        return;
    }
    reload->ask = *ask;
    reload->ticket = ticket;
    TAILQ_INSERT_TAIL(&server->asked, reload, link);
    start_load(server);
}

static json_t *reload_result(struct server *server, const struct problem_list *problems)
{
    const struct generation *generation = server_generation(server);
    char loaded[INSTANT_TEXT_MAX];
    int64_t now = server_now(server);
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

/* Binds what is new, for the generation that is loaded: *plan is NULL if there is nothing. False,
 * and said in problems: what could be had when the load began cannot any more. */
static bool plan_listen(struct server *server, struct loader_result *result,
                        struct listen_plan **plan)
{
    *plan = listen_plan_make(server->rows, result->config, server->plan, &result->problems);
    if (*plan == NULL) {
        return false;
    }
    if (listen_plan_is_same(*plan, server->plan)) {
        listen_plan_free(*plan);
        *plan = NULL;
    } else if (!listen_plan_offer(*plan, server->worker_count)) {
        problem_list_add(&result->problems, PROBLEM_ERROR, server->config_path, 0, 0,
                         "no memory or descriptors for listen");
        listen_plan_free(*plan);
        return false;
    }
    return true;
}

/* Into force, if that can be: else nothing of it is. */
static bool apply(struct server *server, struct loader_result *result)
{
    struct listen_plan *plan;
    if (result->generation == NULL) {
        return false;
    }
    if (!plan_listen(server, result, &plan)) {
        loader_result_fini(result);
        return false;
    }
    if (!server_publish(server, result, plan)) {
        problem_list_add(&result->problems, PROBLEM_ERROR, server->config_path, 0, 0,
                         "out of memory");
        return false;
    }
    return true;
}

static void tell_refused(struct server *server, struct loader_result *result)
{
    log_event(LOG_LEVEL_ERROR, "load", "refused, the generation in force stays", "number=%llu",
              (unsigned long long)server_generation(server)->number);
    server->refused = result->problems;
    server->refused_since = server_now(server);
}

static void tell_loaded(struct server *server, struct loader_result *result)
{
    const struct generation *generation = server_generation(server);
    log_event(LOG_LEVEL_INFO, "load", "generation in force", "number=%llu errors=%zu orders=%zu",
              (unsigned long long)generation->number, result->problems.errors,
              policy_order_count(generation->policy));
    problem_list_fini(&result->problems);
    server_follow_orders(server);
    server_follow_files(server);
}

static void finish_load(struct server *server, struct loader_result *result)
{
    bool loaded = apply(server, result);
    server_load_ended(server, loaded, &result->problems);
    server_log_problems(&result->problems);
    problem_list_fini(&server->refused);
    if (!loaded) {
        server_audit_refused(server, &result->problems);
    }
    await_adoption(server, &result->problems);
    if (loaded) {
        tell_loaded(server, result);
    } else {
        tell_refused(server, result);
    }
    server_service_ready(server);
    server_collect(server);
    start_load(server);
}

/* Are sockets being left, and would others be bound? One at the same address would stand behind
 * those in the kernel's count. */
static bool must_wait(const struct server *server, const struct loader_result *result)
{
    return result->generation != NULL && is_leaving(server) &&
           !listen_plan_is_wanted(server->plan, result->config);
}

void server_on_loaded(void *ctx, struct loader_result *result)
{
    struct server *server = ctx;
    server_reopen_tap(server);
    if (must_wait(server, result)) {
        server->held = *result;
        server->holds = true;
        return;
    }
    finish_load(server, result);
}

/* Puts what was held back into force once sockets have been left. */
static void finish_held(struct server *server)
{
    if (server->holds && !must_wait(server, &server->held)) {
        struct loader_result result = server->held;
        server->holds = false;
        finish_load(server, &result);
    }
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
        if (reload->awaited <= everywhere && !server_awaits_upstreams(server)) {
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
    server_audit_counts(server, item->published);
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
    server_collect_workers(server);
    finish_held(server);
    answer_adopted(server);
    if (loader_busy(server->loader)) {
        return;
    }
    server_collect_sets(server);
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
    int64_t now = server_now(server);
    struct timeval delay = {.tv_sec = ORDER_TIMER_MAX_S};
    generation_log_changes(generation, server->order_time, now);
    server_audit_changes(server, server->order_time, now);
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
    if (server->holds) {
        loader_result_fini(&server->held);
        problem_list_fini(&server->held.problems);
    }
    free_queue(&server->asked);
    free_queue(&server->loading);
    free_queue(&server->adopting);
    while ((item = TAILQ_FIRST(&server->published)) != NULL) {
        free_published(server, item);
    }
}
