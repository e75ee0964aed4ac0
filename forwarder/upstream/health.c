/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Probing upstream servers (see health.h).
 */
#include "forwarder/upstream/health.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "forwarder/config/config.h"
#include "forwarder/log.h"
#include "forwarder/milliseconds.h"
#include "forwarder/random_pool.h"
#include "forwarder/upstream/health_probe.h"
#include "forwarder/upstream/upstream_set.h"
#include "forwarder/wire/edns.h"

#define TIMEOUT_MAX_MS 2000U

struct probe {
    struct health *health;
    struct upstream_target *target; /* a reference */
    struct event *timer;
    struct health_probe *asking; /* whose answer is awaited, or NULL */
    unsigned failures;           /* in a row */
    unsigned successes;          /* in a row */
    bool wanted;                 /* listed by the set being followed */
    LIST_ENTRY(probe) link;
};

struct health {
    struct event_base *base;
    const struct config_upstream *config;
    const struct config_health_check *check; /* in config */
    struct upstream_tls *tls;
    struct random_pool random;
    LIST_HEAD(, probe) probes;
};

struct health *health_new(struct event_base *base, const struct config_upstream *config,
                          struct upstream_tls *tls, char why[static WHY_MAX])
{
    struct health *health = calloc(1, sizeof *health);
    if (health == NULL) {
        snprintf(why, WHY_MAX, "out of memory");
        return NULL;
    }
    health->base = base;
    health->config = config;
    health->check = &config->health_check;
    health->tls = tls;
    random_pool_init(&health->random);
    LIST_INIT(&health->probes);
    return health;
}

static void set_up(struct probe *probe, bool up)
{
    struct upstream_target *target = probe->target;
    if (atomic_exchange(&target->up, up) != up) {
        log_event(up ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "upstream",
                  up ? "server is up" : "server is down", "address=%s", target->text);
    }
}

static void on_outcome(struct probe *probe, bool success)
{
    const struct config_health_check *check = probe->health->check;
    probe->failures = success ? 0 : probe->failures + 1;
    probe->successes = success ? probe->successes + 1 : 0;
    if (probe->failures >= check->down_after) {
        set_up(probe, false);
    } else if (probe->successes >= check->up_after) {
        set_up(probe, true);
    }
}

static void on_answer(void *ctx, struct span answer)
{
    struct probe *probe = ctx;
    struct dns_header header;
    bool success = dns_header_decode(answer, &header) && (dns_rcode(&header) == DNS_RCODE_NOERROR ||
                                                          dns_rcode(&header) == DNS_RCODE_NXDOMAIN);
    health_probe_free(probe->asking);
    probe->asking = NULL;
    on_outcome(probe, success);
}

static void schedule(struct probe *probe, unsigned ms)
{
    struct timeval delay = milliseconds(ms);
    event_add(probe->timer, &delay);
}

/* NULL if nothing could be sent. */
static struct health_probe *ask(struct probe *probe)
{
    struct health *health = probe->health;
    const struct config_health_check *check = health->check;
    unsigned char *query;
    int size;
    if (ares_create_query(check->name, ns_c_in, check->type, random_pool_u16(&health->random), 1,
                          &query, &size, EDNS_UDP_SIZE) != ARES_SUCCESS) {
        return NULL;
    }
    const struct health_probe_question question = {
        .target = probe->target,
        .tls = health->tls,
        .query = {query, (size_t)size},
        .proxied = health->config->send_client == CONFIG_SEND_PROXY,
        .timeout_ms = check->interval_ms < TIMEOUT_MAX_MS ? check->interval_ms : TIMEOUT_MAX_MS,
        .on_answer = on_answer,
        .ctx = probe,
    };
    struct health_probe *asking = health_probe_new(health->base, &question);
    ares_free_string(query);
    return asking;
}

static void on_timer(evutil_socket_t descriptor, short what, void *ctx)
{
    struct probe *probe = ctx;
    (void)descriptor;
    (void)what;
    schedule(probe, probe->health->check->interval_ms);
    if (probe->asking != NULL) {
        on_answer(probe, (struct span){0}); /* its time is over just now, too */
    }
    probe->asking = ask(probe);
    if (probe->asking == NULL) {
        on_outcome(probe, false);
    }
}

static void probe_free(struct probe *probe)
{
    health_probe_free(probe->asking);
    if (probe->timer != NULL) {
        event_free(probe->timer);
    }
    upstream_target_unref(probe->target);
    free(probe);
}

void health_free(struct health *health)
{
    if (health == NULL) {
        return;
    }
    while (!LIST_EMPTY(&health->probes)) {
        struct probe *probe = LIST_FIRST(&health->probes);
        LIST_REMOVE(probe, link);
        probe_free(probe);
    }
    free(health);
}

static struct probe *probe_new(struct health *health, struct upstream_target *target)
{
    struct probe *probe = calloc(1, sizeof *probe);
    if (probe == NULL) {
        return NULL;
    }
    probe->health = health;
    probe->target = upstream_target_ref(target);
    probe->timer = evtimer_new(health->base, on_timer, probe);
    if (probe->timer == NULL) {
        probe_free(probe);
        return NULL;
    }
    schedule(probe, 0);
    return probe;
}

static struct probe *find(struct health *health, const struct upstream_target *target)
{
    struct probe *probe;
    LIST_FOREACH(probe, &health->probes, link)
    {
        if (probe->target == target) {
            return probe;
        }
    }
    return NULL;
}

/* A server that cannot be probed counts as up: its queries show what it is worth. */
static void follow(struct health *health, struct upstream_target *target)
{
    struct probe *probe = find(health, target);
    if (probe == NULL) {
        probe = probe_new(health, target);
        if (probe == NULL) {
            log_event(LOG_LEVEL_ERROR, "upstream", "no health check", "address=%s", target->text);
            return;
        }
        LIST_INSERT_HEAD(&health->probes, probe, link);
    }
    probe->wanted = true;
}

void health_follow(struct health *health, const struct upstream_set *set)
{
    struct probe *probe;
    LIST_FOREACH(probe, &health->probes, link)
    {
        probe->wanted = false;
    }
    for (size_t i = 0; i < set->count; i++) {
        follow(health, set->targets[i]);
    }
    probe = LIST_FIRST(&health->probes);
    while (probe != NULL) {
        struct probe *next = LIST_NEXT(probe, link);
        if (!probe->wanted) {
            LIST_REMOVE(probe, link);
            probe_free(probe);
        }
        probe = next;
    }
}
