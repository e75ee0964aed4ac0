/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Status as JSON (see status.h).
 */
#include "forwarder/server/status.h"

#include <stdio.h>
#include <string.h>

#include "forwarder/counters.h"
#include "forwarder/generation/generation.h"
#include "forwarder/server/tally.h"
#include "forwarder/upstream/upstream_set.h"
#include "forwarder/worker.h"
#include "geo/geo_db.h"
#include "geo/overrides.h"
#include "policy/instant.h"
#include "policy/policy.h"

static json_t *instant(int64_t seconds)
{
    char text[INSTANT_TEXT_MAX];
    return json_string(instant_format(seconds, text));
}

static json_t *problem_json(const struct generation_problem *problem)
{
    return json_pack("{s:s, s:i, s:i, s:s, s:o}", "file", problem->file, "line", (int)problem->line,
                     "column", (int)problem->column,
                     problem->level == PROBLEM_ERROR ? "error" : "warning", problem->text, "since",
                     instant(problem->since));
}

static json_t *refused_json(const struct problem *problem, int64_t since)
{
    struct generation_problem standing = {problem->level,  problem->file, problem->line,
                                          problem->column, problem->text, since};
    return problem_json(&standing);
}

json_t *status_problems(const struct problem_list *problems, int level, int64_t since)
{
    json_t *array = json_array();
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        if ((int)problem->level == level) {
            json_array_append_new(array, refused_json(problem, since));
        }
    }
    return array;
}

/* Does the generation in force have this problem too? */
static bool stands(const struct generation *generation, const struct problem *problem)
{
    for (size_t i = 0; i < generation->problem_count; i++) {
        const struct generation_problem *standing = &generation->problems[i];
        if (standing->line == problem->line && standing->column == problem->column &&
            strcmp(standing->file, problem->file) == 0 &&
            strcmp(standing->text, problem->text) == 0) {
            return true;
        }
    }
    return false;
}

/* What stands in the generation in force, and the errors for which the last load gave none. */
static json_t *standing_problems(const struct status_view *view, int level)
{
    const struct generation *generation = view->generation;
    json_t *array = json_array();
    for (size_t i = 0; level == PROBLEM_ERROR && i < view->refused->count; i++) {
        const struct problem *problem = &view->refused->items[i];
        if (problem->level == PROBLEM_ERROR && !stands(generation, problem)) {
            json_array_append_new(array, refused_json(problem, view->refused_since));
        }
    }
    for (size_t i = 0; i < generation->problem_count; i++) {
        if ((int)generation->problems[i].level == level) {
            json_array_append_new(array, problem_json(&generation->problems[i]));
        }
    }
    return array;
}

static size_t in_force(const struct policy *policy, int64_t now)
{
    size_t count = 0;
    for (size_t i = 0; i < policy_order_count(policy); i++) {
        count += policy_order_in_force(policy_order(policy, i), now) ? 1 : 0;
    }
    return count;
}

static json_t *geo_json(const struct generation *generation)
{
    json_t *overrides = json_null();
    if (generation->overrides != NULL) {
        overrides = json_integer((json_int_t)overrides_count(generation->overrides));
    }
    return json_pack("{s:s, s:s, s:o, s:o}", "database", generation->config->geo_database, "type",
                     geo_db_type(generation->db), "build", instant(geo_db_built(generation->db)),
                     "overrides", overrides);
}

static json_t *upstream_json(const struct upstream_target *target)
{
    static const char *const trust[] = {
        [UPSTREAM_UNTRIED] = "untried",
        [UPSTREAM_VERIFIED] = "verified",
        [UPSTREAM_REFUSED] = "refused",
    };
    json_t *upstream =
        json_pack("{s:s, s:b, s:I}", "address", target->text, "up", (int)atomic_load(&target->up),
                  "outstanding", (json_int_t)upstream_target_outstanding(target));
    if (target->tls_name != NULL) {
        json_object_set_new(upstream, "tls_name", json_string(target->tls_name));
        json_object_set_new(upstream, "certificate",
                            json_string(trust[atomic_load(&target->trust)]));
    }
    return upstream;
}

static json_t *upstreams_json(const struct upstream_set *set)
{
    json_t *array = json_array();
    for (size_t i = 0; i < set->count; i++) {
        json_array_append_new(array, upstream_json(set->targets[i]));
    }
    return array;
}

static json_int_t load(const _Atomic uint64_t *value)
{
    return (json_int_t)atomic_load_explicit(value, memory_order_relaxed);
}

static void put_counters(json_t *status, const struct status_view *view)
{
    uint64_t drops = 0;
    for (int counter = 0; counter < COUNTERS; counter++) {
        json_int_t sum = 0;
        for (size_t i = 0; i < view->worker_count; i++) {
            sum += load(&view->workers[i]->counters.value[counter]);
        }
        json_object_set_new(status, counters_name((enum counter)counter), json_integer(sum));
    }
    for (size_t i = 0; i < view->worker_count; i++) {
        drops += worker_receive_drops(view->workers[i]);
    }
    json_object_set_new(status, "receive_drops", json_integer((json_int_t)drops));
    json_object_set_new(status, "connections", json_integer((json_int_t)view->connections));
}

/* Clients whose country is not known count under "unknown". */
static json_t *by_country(const struct status_view *view)
{
    json_t *object = json_object();
    for (unsigned index = 0; index < COUNTRY_INDEXES; index++) {
        json_int_t queries = 0;
        json_int_t blocked = 0;
        for (size_t i = 0; i < view->worker_count; i++) {
            const struct counters_country *counts = &view->workers[i]->counters.country[index];
            queries += load(&counts->queries);
            blocked += load(&counts->blocked);
        }
        if (queries > 0) {
            struct country country = country_of_index(index);
            char code[3] = {country.letter[0], country.letter[1], '\0'};
            json_object_set_new(object, country_known(country) ? code : "unknown",
                                json_pack("{s:I, s:I}", "queries", queries, "blocked", blocked));
        }
    }
    return object;
}

/* A warning of the daemon, not of a load, about a folder. */
static json_t *own_warning(const char *folder, const char *text, int64_t since)
{
    return json_pack("{s:s, s:i, s:i, s:s, s:o}", "file", folder, "line", 0, "column", 0, "warning",
                     text, "since", instant(since));
}

static json_t *warnings_json(const struct status_view *view)
{
    const struct config *config = view->generation->config;
    json_t *array = standing_problems(view, PROBLEM_WARNING);
    if (view->watch_problem != NULL) {
        char text[2 * WHY_MAX];
        snprintf(text, sizeof(text),
                 "some edits go unnoticed: after one, send SIGHUP or run bailiwick reload (%s)",
                 view->watch_problem);
        json_array_append_new(array, own_warning(config->orders, text, view->watch_problem_since));
    }
    if (view->keep_problem != NULL) {
        json_array_append_new(
            array, own_warning(config->state, view->keep_problem, view->keep_problem_since));
    }
    return array;
}

static const char *watch_state(const struct status_view *view)
{
    return !view->watched ? "off" : view->watch_problem != NULL ? "partial" : "on";
}

json_t *status_json(const struct status_view *view)
{
    const struct generation *generation = view->generation;
    const struct policy *policy = generation->policy;
    json_t *status =
        json_pack("{s:s, s:o, s:I, s:o, s:I, s:o, s:o, s:s, s:I, s:I, s:I, s:o, s:o, s:I}",
                  "version", BAILIWICK_VERSION, "started", instant(view->started), "generation",
                  (json_int_t)generation->number, "loaded", instant(generation->loaded), "kept",
                  (json_int_t)view->kept, "errors", standing_problems(view, PROBLEM_ERROR),
                  "warnings", warnings_json(view), "watch", watch_state(view), "orders",
                  (json_int_t)policy_order_count(policy), "orders_in_force",
                  (json_int_t)in_force(policy, view->now), "names",
                  (json_int_t)policy_names(policy), "geo", geo_json(generation), "upstreams",
                  upstreams_json(view->upstreams), "workers", (json_int_t)view->worker_count);
    if (status == NULL) {
        return NULL;
    }
    put_counters(status, view);
    json_object_set(status, "by_order", view->tally->blocked);
    json_object_set(status, "would_block_by_order", view->tally->would_block);
    json_object_set_new(status, "by_country", by_country(view));
    return status;
}
