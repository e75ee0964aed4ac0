/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Status as JSON (see status.h).
 */
#include "forwarder/server/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/config/config_address.h"
#include "forwarder/config/config_listen.h"
#include "forwarder/counters.h"
#include "forwarder/generation/generation.h"
#include "forwarder/server/audit_status.h"
#include "forwarder/server/listener_view.h"
#include "forwarder/server/tally.h"
#include "forwarder/tap/tap.h"
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

/* The problems of the generation in force, and the errors for which the last load was refused. */
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
        json_pack("{s:s, s:b, s:b, s:I}", "address", target->text, "up",
                  (int)atomic_load(&target->up), "drained", (int)atomic_load(&target->drained),
                  "outstanding", (json_int_t)upstream_target_outstanding(target));
    if (target->tls_name != NULL) {
        json_object_set_new(upstream, "tls_name", json_string(target->tls_name));
        json_object_set_new(upstream, "certificate",
                            json_string(trust[atomic_load(&target->trust)]));
    }
    return upstream;
}

json_t *status_upstreams(const struct upstream_set *set)
{
    json_t *array = json_array();
    for (size_t i = 0; i < set->count; i++) {
        json_array_append_new(array, upstream_json(set->targets[i]));
    }
    return array;
}

/* A warning of the daemon, not of a load, about a file or folder. */
json_t *status_own_warning(const char *file, const char *text, int64_t since)
{
    return json_pack("{s:s, s:i, s:i, s:s, s:o}", "file", file, "line", 0, "column", 0, "warning",
                     text, "since", instant(since));
}

/* For datagrams: what the kernel dropped, and how much it may hold. For streams: what waits to be
 * accepted, and what found the queue full. */
static json_t *listener_json(const struct listener_view *view)
{
    char address[CONFIG_ADDRESS_TEXT_MAX];
    json_t *listener = json_pack(
        "{s:s, s:s, s:I}", "address", config_address_format(&view->listen->address, address),
        "transport", config_listen_transport(view->listen), "drops", (json_int_t)view->drops);
    bool datagrams = config_listen_is_datagrams(view->listen);
    json_object_set_new(
        listener, datagrams ? "receive_buffer" : "waiting",
        json_integer((json_int_t)(datagrams ? view->receive_buffer : view->waiting)));
    return listener;
}

static void put_listeners(json_t *status, const struct status_view *view)
{
    const struct config *config = view->workers[0]->shared->config; /* as it was at the start */
    json_t *array = json_array();
    char why[WHY_MAX];
    size_t count;
    struct listener_view *listeners =
        listener_view_all(view->workers, view->worker_count, view->left, &count);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(array, listener_json(&listeners[i]));
        if (listener_view_is_short(&listeners[i], config->limits.receive_buffer, why)) {
            json_array_append_new(json_object_get(status, "warnings"),
                                  status_own_warning(config->path, why, view->started));
        }
    }
    free(listeners);
    json_object_set_new(status, "listeners", array);
}

static uint64_t load(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

uint64_t status_counter(const struct status_view *view, enum counter counter)
{
    uint64_t sum = counters_read(view->retired, counter);
    for (size_t i = 0; i < view->worker_count; i++) {
        sum += counters_read(&view->workers[i]->counters, counter);
    }
    return sum;
}

static void add_country(struct status_country *sum, const struct counters_country *counts)
{
    sum->queries += load(&counts->queries);
    sum->blocked += load(&counts->blocked);
}

struct status_country status_country(const struct status_view *view, unsigned index)
{
    struct status_country sum = {0};
    add_country(&sum, &view->retired->country[index]);
    for (size_t i = 0; i < view->worker_count; i++) {
        add_country(&sum, &view->workers[i]->counters.country[index]);
    }
    return sum;
}

void status_country_name(unsigned index, char out[static STATUS_COUNTRY_MAX])
{
    struct country country = country_of_index(index);
    if (country_known(country)) {
        snprintf(out, STATUS_COUNTRY_MAX, "%c%c", country.letter[0], country.letter[1]);
    } else {
        snprintf(out, STATUS_COUNTRY_MAX, "unknown");
    }
}

static void put_counters(json_t *status, const struct status_view *view)
{
    uint64_t drops = view->retired_drops;
    for (enum counter counter = 0; counter < COUNTERS; counter++) {
        json_object_set_new(status, counters_name(counter),
                            json_integer((json_int_t)status_counter(view, counter)));
    }
    for (size_t i = 0; i < view->worker_count; i++) {
        drops += worker_receive_drops(view->workers[i]);
    }
    json_object_set_new(status, "receive_drops", json_integer((json_int_t)drops));
    json_object_set_new(status, "connections", json_integer((json_int_t)view->connections));
    struct tap_counts tapped = tap_counts(view->tap);
    json_object_set_new(status, "dnstap_written", json_integer((json_int_t)tapped.written));
    json_object_set_new(status, "dnstap_lost", json_integer((json_int_t)tapped.lost));
}

/* Clients whose country is not known count under "unknown". */
static json_t *by_country(const struct status_view *view)
{
    json_t *object = json_object();
    for (unsigned index = 0; index < COUNTRY_INDEXES; index++) {
        struct status_country counts = status_country(view, index);
        char code[STATUS_COUNTRY_MAX];
        if (counts.queries > 0) {
            status_country_name(index, code);
            json_object_set_new(object, code,
                                json_pack("{s:I, s:I}", "queries", (json_int_t)counts.queries,
                                          "blocked", (json_int_t)counts.blocked));
        }
    }
    return object;
}

static void put_counts(json_t *out, const struct status_view *view)
{
    put_counters(out, view);
    json_object_set(out, "by_order", view->tally->blocked);
    json_object_set(out, "would_block_by_order", view->tally->would_block);
    json_object_set_new(out, "by_country", by_country(view));
}

json_t *status_counts_json(const struct status_view *view)
{
    json_t *counts = json_object();
    if (counts != NULL) {
        put_counts(counts, view);
    }
    return counts;
}

static json_t *warnings_json(const struct status_view *view)
{
    const struct config *config = view->generation->config;
    json_t *array = standing_problems(view, PROBLEM_WARNING);
    if (trouble_stands(view->unwatched)) {
        char text[2 * WHY_MAX];
        snprintf(text, sizeof text,
                 "some edits go unnoticed: after one, send SIGHUP or run bailiwick reload (%s)",
                 view->unwatched->why);
        json_array_append_new(array,
                              status_own_warning(config->orders, text, view->unwatched->since));
    }
    if (trouble_stands(view->unkept)) {
        json_array_append_new(
            array, status_own_warning(config->state, view->unkept->why, view->unkept->since));
    }
    if (view->clock_wrong) {
        json_array_append_new(
            array,
            status_own_warning(config->path, "the system's clock is wrong and not believed: set it",
                               view->clock_wrong_since));
    }
    if (view->all_drained_since != 0) {
        json_array_append_new(array, status_own_warning(config->path,
                                                        "every server is drained, so queries get "
                                                        "SERVFAIL: see bailiwick upstream undrain",
                                                        view->all_drained_since));
    }
    audit_status_warn(array, view);
    return array;
}

static const char *watch_state(const struct status_view *view)
{
    return !view->watched ? "off" : trouble_stands(view->unwatched) ? "partial" : "on";
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
                  status_upstreams(view->upstreams), "workers", (json_int_t)view->worker_count);
    if (status == NULL) {
        return NULL;
    }
    json_object_set_new(status, "audit", audit_status_json(view));
    put_listeners(status, view);
    put_counts(status, view);
    return status;
}
