/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The metrics (see metrics.h): one row or one function each family.
 */
#include "forwarder/server/metrics.h"

#include <stdio.h>

#include "forwarder/config/config_listen.h"
#include "forwarder/counters.h"
#include "forwarder/generation/generation.h"
#include "forwarder/server/metrics_listeners.h"
#include "forwarder/server/metrics_orders.h"
#include "forwarder/server/metrics_process.h"
#include "forwarder/server/metrics_text.h"
#include "forwarder/server/metrics_upstream.h"
#include "forwarder/server/reload_record.h"
#include "forwarder/server/status.h"
#include "forwarder/tap/tap.h"
#include "forwarder/upstream/inflight.h"
#include "forwarder/worker.h"
#include "geo/geo_db.h"
#include "policy/policy.h"

/* 4 us to 131 ms: beyond that the machine does not keep up. */
static const struct metrics_range own_range = {2, 17};

/* RFC 6895 section 2.3, and RFC 8490 for DSOTYPENI. */
static const char *const rcodes[COUNTERS_RCODES] = {
    "NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED",
    "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE", "DSOTYPENI",
    "RCODE12",  "RCODE13", "RCODE14",  "RCODE15",  "BADVERS", "BADCOOKIE",
};
#define RCODES_USUAL 6U /* are told of even if there were none: a first one is seen as a rise */

/* ---- Single values ---- */

static double generation_number(const struct status_view *view)
{
    return (double)view->generation->number;
}

static double generation_loaded(const struct status_view *view)
{
    return (double)view->generation->loaded;
}

static double database_built(const struct status_view *view)
{
    return (double)geo_db_built(view->generation->db);
}

static double database_max_age(const struct status_view *view)
{
    return (double)view->generation->config->geo_max_age_s;
}

static double reload_successful(const struct status_view *view)
{
    return view->reloads->last == RELOAD_WHOLE;
}

static double reload_duration(const struct status_view *view)
{
    return (double)view->reloads->took_us / 1e6;
}

static double reload_succeeded(const struct status_view *view)
{
    return (double)view->reloads->succeeded;
}

static double reload_failed(const struct status_view *view)
{
    return (double)view->reloads->failed;
}

static double state_kept(const struct status_view *view)
{
    return !trouble_stands(view->unkept);
}

static double state_generation(const struct status_view *view)
{
    return (double)view->kept;
}

static double files_watched(const struct status_view *view)
{
    return view->watched && !trouble_stands(view->unwatched);
}

static double workers(const struct status_view *view)
{
    return (double)view->worker_count;
}

static double in_flight(const struct status_view *view)
{
    size_t sum = 0;
    for (size_t i = 0; i < view->worker_count; i++) {
        sum += inflight_count(view->workers[i]->inflight);
    }
    return (double)sum;
}

static double in_flight_limit(const struct status_view *view)
{
    const struct config *config =
        view->worker_count > 0 ? view->workers[0]->shared->config : view->generation->config;
    return (double)config->limits.in_flight * (double)view->worker_count;
}

static const struct {
    const char *name;
    const char *help;
    double (*value)(const struct status_view *view);
} singles[] = {
    {"bailiwick_generation", "Number of the generation in force.", generation_number},
    {"bailiwick_generation_loaded_timestamp_seconds", "When the generation in force was loaded.",
     generation_loaded},
    {"bailiwick_geo_database_build_timestamp_seconds", "When the country database was built.",
     database_built},
    {"bailiwick_geo_database_max_age_seconds", "How old it may be: geo.max-age.", database_max_age},
    {"bailiwick_reload_successful", "Whether all files of the last load were good.",
     reload_successful},
    {"bailiwick_reload_duration_seconds", "How long the last load took.", reload_duration},
    {"bailiwick_reload_success_timestamp_seconds",
     "When a load last ended with all files good; 0: never.", reload_succeeded},
    {"bailiwick_reload_failure_timestamp_seconds",
     "When a load last ended with a file in error, or refused; 0: never.", reload_failed},
    {"bailiwick_state_kept", "Whether last good versions can be written under state.", state_kept},
    {"bailiwick_state_generation", "The newest generation that is all under state; 0: none.",
     state_generation},
    {"bailiwick_files_watched", "Whether all edits of files are noticed.", files_watched},
    {"bailiwick_workers", "Worker threads.", workers},
    {"bailiwick_in_flight", "Queries that wait for an answer of upstream.", in_flight},
    {"bailiwick_in_flight_limit", "How many may: limits.in-flight of all workers.",
     in_flight_limit},
};

static void write_singles(struct metrics_text *text, const struct status_view *view)
{
    for (size_t i = 0; i < sizeof singles / sizeof singles[0]; i++) {
        metrics_text_family(text, METRICS_GAUGE, singles[i].name, singles[i].help);
        metrics_text_real(text, NULL, singles[i].value(view));
    }
}

static void write_build(struct metrics_text *text)
{
    metrics_text_family(text, METRICS_GAUGE, "bailiwick_build_info",
                        "1; the version of the program is a label.");
    metrics_text_count(text, METRICS_LABELS({"version", BAILIWICK_VERSION}), 1);
}

static void write_reloads(struct metrics_text *text, const struct status_view *view)
{
    static const char *const outcomes[RELOAD_OUTCOMES] = {
        [RELOAD_WHOLE] = "whole",
        [RELOAD_PARTIAL] = "partial",
        [RELOAD_REFUSED] = "refused",
    };
    metrics_text_family(text, METRICS_COUNTER, "bailiwick_reloads_total",
                        "Loads, the first one included: whole; partial, with some file in error; "
                        "refused.");
    for (size_t i = 0; i < RELOAD_OUTCOMES; i++) {
        metrics_text_count(text, METRICS_LABELS({"result", outcomes[i]}), view->reloads->count[i]);
    }
}

static void write_problems(struct metrics_text *text, const struct status_view *view)
{
    const struct generation *generation = view->generation;
    metrics_text_family(text, METRICS_GAUGE, "bailiwick_problems",
                        "Errors and warnings that stand in the files of the generation in force.");
    metrics_text_count(text, METRICS_LABELS({"level", "error"}), generation->error_count);
    metrics_text_count(text, METRICS_LABELS({"level", "warning"}),
                       generation->problem_count - generation->error_count);
}

/* ---- What workers count ---- */

/* Queries have a metric by transport, so they are left out here. */
static void write_counters(struct metrics_text *text, const struct status_view *view)
{
    char name[64];
    for (enum counter counter = COUNTER_QUERIES + 1; counter < COUNTERS; counter++) {
        snprintf(name, sizeof name, "bailiwick_%s_total", counters_name(counter));
        metrics_text_family(text, METRICS_COUNTER, name, counters_help(counter));
        metrics_text_count(text, NULL, status_counter(view, counter));
    }
}

static uint64_t load(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static const char *transport_name(unsigned transport)
{
    return config_transport_name((enum config_transport)transport);
}

/* Sums over all workers, those that are no more too, for one transport. */
struct transport_sum {
    uint64_t queries;
    uint64_t connections;
    uint64_t answers[COUNTERS_RCODES];
    struct histogram_sum own;
};

static void add_counts(struct transport_sum *sum, const struct counters *counts, unsigned transport)
{
    sum->queries += load(&counts->queries[transport]);
    sum->connections += load(&counts->connections[transport]);
    for (unsigned rcode = 0; rcode < COUNTERS_RCODES; rcode++) {
        sum->answers[rcode] += load(&counts->answers[transport][rcode]);
    }
    histogram_read(&counts->own[transport], &sum->own);
}

static struct transport_sum sum_of(const struct status_view *view, unsigned transport)
{
    struct transport_sum sum = {0};
    add_counts(&sum, view->retired, transport);
    for (size_t i = 0; i < view->worker_count; i++) {
        add_counts(&sum, &view->workers[i]->counters, transport);
    }
    return sum;
}

static void write_answers(struct metrics_text *text, const struct transport_sum *sums)
{
    metrics_text_family(text, METRICS_COUNTER, "bailiwick_answers_total",
                        "Answers to clients, by their rcode.");
    for (unsigned transport = 0; transport < COUNTERS_TRANSPORTS; transport++) {
        for (unsigned rcode = 0; rcode < COUNTERS_RCODES; rcode++) {
            uint64_t answers = sums[transport].answers[rcode];
            if (answers > 0 || rcode < RCODES_USUAL) {
                metrics_text_count(text,
                                   METRICS_LABELS({"transport", transport_name(transport)},
                                                  {"rcode", rcodes[rcode]}),
                                   answers);
            }
        }
    }
}

static void write_transports(struct metrics_text *text, const struct status_view *view)
{
    struct transport_sum sums[COUNTERS_TRANSPORTS];
    metrics_text_family(text, METRICS_COUNTER, "bailiwick_queries_total",
                        "Messages of clients, of any kind.");
    for (unsigned i = 0; i < COUNTERS_TRANSPORTS; i++) {
        sums[i] = sum_of(view, i);
        metrics_text_count(text, METRICS_LABELS({"transport", transport_name(i)}), sums[i].queries);
    }
    write_answers(text, sums);
    metrics_text_family(text, METRICS_GAUGE, "bailiwick_connections",
                        "Connections of clients that are open.");
    for (unsigned i = CONFIG_UDP + 1; i < COUNTERS_TRANSPORTS; i++) {
        metrics_text_count(text, METRICS_LABELS({"transport", transport_name(i)}),
                           sums[i].connections);
    }
    metrics_text_family(text, METRICS_HISTOGRAM, "bailiwick_own_latency_seconds",
                        "From the batch that a query came with until that batch was forwarded or "
                        "answered.");
    for (unsigned i = 0; i < COUNTERS_TRANSPORTS; i++) {
        metrics_text_histogram(text, METRICS_LABELS({"transport", transport_name(i)}), &sums[i].own,
                               own_range);
    }
}

/* Countries that orders bind have a sample before anybody there has asked, so that a first block is
 * seen as a rise. */
static bool is_bound(const struct status_view *view, unsigned index)
{
    const struct place place = {.country = country_of_index(index)};
    return policy_in_scope(view->generation->policy, &place, view->now);
}

static void write_country_family(struct metrics_text *text, const struct status_view *view,
                                 bool blocked)
{
    for (unsigned index = 0; index < COUNTRY_INDEXES; index++) {
        struct status_country counts = status_country(view, index);
        char code[STATUS_COUNTRY_MAX];
        if (counts.queries > 0 || is_bound(view, index)) {
            status_country_name(index, code);
            metrics_text_count(text, METRICS_LABELS({"country", code}),
                               blocked ? counts.blocked : counts.queries);
        }
    }
}

static void write_countries(struct metrics_text *text, const struct status_view *view)
{
    metrics_text_family(text, METRICS_COUNTER, "bailiwick_country_queries_total",
                        "Queries by the country of the client.");
    write_country_family(text, view, false);
    metrics_text_family(text, METRICS_COUNTER, "bailiwick_country_blocked_total",
                        "Blocked queries by the country of the client.");
    write_country_family(text, view, true);
}

static void write_dnstap(struct metrics_text *text, const struct status_view *view)
{
    const struct tap_counts counts = tap_counts(view->tap);
    metrics_text_family(text, METRICS_COUNTER, "bailiwick_dnstap_written_total",
                        "Messages of dnstap that were written.");
    metrics_text_count(text, NULL, counts.written);
    metrics_text_family(text, METRICS_COUNTER, "bailiwick_dnstap_lost_total",
                        "Messages of dnstap that were lost.");
    metrics_text_count(text, NULL, counts.lost);
}

bool metrics_write(const struct status_view *view, struct evbuffer *out)
{
    struct metrics_text text;
    metrics_text_init(&text, out);
    write_build(&text);
    write_singles(&text, view);
    write_reloads(&text, view);
    write_problems(&text, view);
    metrics_orders_write(&text, view);
    write_transports(&text, view);
    write_counters(&text, view);
    write_countries(&text, view);
    metrics_upstream_write(&text, view->upstreams);
    metrics_listeners_write(&text, view);
    write_dnstap(&text, view);
    metrics_process_write(&text, view->started);
    return text.whole;
}
