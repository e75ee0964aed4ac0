/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Metrics of the servers behind (see metrics_upstream.h): one row a family, one sample a server.
 */
#include "forwarder/server/metrics_upstream.h"

#include <string.h>

#include "forwarder/server/metrics_text.h"
#include "forwarder/upstream/upstream_set.h"

/* 64 us to 8.4 s: from a cache beside us to timeout. */
static const struct metrics_range latency_range = {6, 23};

static uint64_t up(const struct upstream_target *target, const struct upstream_counts_sum *sum)
{
    (void)sum;
    return atomic_load_explicit(&target->up, memory_order_relaxed) ? 1 : 0;
}

static uint64_t drained(const struct upstream_target *target, const struct upstream_counts_sum *sum)
{
    (void)sum;
    return atomic_load_explicit(&target->drained, memory_order_relaxed) ? 1 : 0;
}

static uint64_t outstanding(const struct upstream_target *target,
                            const struct upstream_counts_sum *sum)
{
    (void)target;
    return sum->outstanding;
}

static uint64_t queries(const struct upstream_target *target, const struct upstream_counts_sum *sum)
{
    (void)target;
    return sum->queries;
}

static uint64_t answers(const struct upstream_target *target, const struct upstream_counts_sum *sum)
{
    (void)target;
    return histogram_count(&sum->latency);
}

static uint64_t timeouts(const struct upstream_target *target,
                         const struct upstream_counts_sum *sum)
{
    (void)target;
    return sum->timeouts;
}

static const struct family {
    enum metrics_type type;
    const char *name;
    const char *help;
    uint64_t (*value)(const struct upstream_target *target, const struct upstream_counts_sum *sum);
} families[] = {
    {METRICS_GAUGE, "bailiwick_upstream_up", "Whether its health checks succeed.", up},
    {METRICS_GAUGE, "bailiwick_upstream_drained",
     "Whether it is asked nothing more: bailiwick upstream drain.", drained},
    {METRICS_GAUGE, "bailiwick_upstream_outstanding", "Queries that wait for it.", outstanding},
    {METRICS_COUNTER, "bailiwick_upstream_queries_total",
     "Queries sent to it, health checks and zone transfers aside.", queries},
    {METRICS_COUNTER, "bailiwick_upstream_answers_total", "Of these, those it answered.", answers},
    {METRICS_COUNTER, "bailiwick_upstream_timeouts_total",
     "Queries that it had not answered when upstream.timeout was over.", timeouts},
};

static bool has_tls(const struct upstream_target *target)
{
    return target->tls_name != NULL;
}

/* The same labels would stand twice if a server is listed twice. */
static bool is_told(const struct upstream_set *set, size_t index)
{
    const struct upstream_target *target = set->targets[index];
    for (size_t i = 0; i < index; i++) {
        if (strcmp(set->targets[i]->text, target->text) == 0 &&
            has_tls(set->targets[i]) == has_tls(target)) {
            return true;
        }
    }
    return false;
}

/* One sample a server, by a row of the table; the histogram for none. */
static void write_samples(struct metrics_text *text, const struct upstream_set *set,
                          const struct family *family)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct upstream_target *target = set->targets[i];
        const struct upstream_counts_sum sum = upstream_target_sum(target);
        const struct metrics_label labels[] = {{"server", target->text},
                                               {"transport", has_tls(target) ? "tls" : "dns"},
                                               {.name = NULL}};
        if (is_told(set, i)) {
            continue;
        }
        if (family != NULL) {
            metrics_text_count(text, labels, family->value(target, &sum));
        } else {
            metrics_text_histogram(text, labels, &sum.latency, latency_range);
        }
    }
}

void metrics_upstream_write(struct metrics_text *text, const struct upstream_set *set)
{
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        metrics_text_family(text, families[i].type, families[i].name, families[i].help);
        write_samples(text, set, &families[i]);
    }
    metrics_text_family(text, METRICS_HISTOGRAM, "bailiwick_upstream_latency_seconds",
                        "From a query to its answer, setting up a connection included.");
    write_samples(text, set, NULL);
}
