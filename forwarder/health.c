/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Probing upstream servers (see health.h).
 */
#include "forwarder/health.h"

#include <arpa/nameser.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "forwarder/ares_loop.h"
#include "forwarder/config/config.h"
#include "forwarder/log.h"
#include "forwarder/milliseconds.h"
#include "forwarder/random_pool.h"
#include "forwarder/upstream_set.h"
#include "forwarder/wire/edns.h"

#define TIMEOUT_MAX_MS 2000U

struct probe {
    struct health *health;
    struct upstream_target *target; /* a reference */
    struct ares_loop *loop;
    struct event *timer;
    unsigned failures;  /* in a row */
    unsigned successes; /* in a row */
    bool wanted;        /* listed by the set being followed */
    LIST_ENTRY(probe) link;
};

struct health {
    struct event_base *base;
    const struct config_health_check *check;
    struct random_pool random;
    LIST_HEAD(, probe) probes;
};

struct health *health_new(struct event_base *base, const struct config_health_check *check,
                          char why[static WHY_MAX])
{
    struct health *health = calloc(1, sizeof(*health));
    if (health == NULL) {
        snprintf(why, WHY_MAX, "out of memory");
        return NULL;
    }
    health->base = base;
    health->check = check;
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

static void on_answer(void *ctx, int status, int timeouts, unsigned char *answer, int size)
{
    struct probe *probe = ctx;
    struct dns_header header;
    (void)timeouts;
    if (status == ARES_EDESTRUCTION) {
        return;
    }
    bool success =
        status == ARES_SUCCESS && size > 0 &&
        dns_header_decode((struct span){answer, (size_t)size}, &header) &&
        (dns_rcode(&header) == DNS_RCODE_NOERROR || dns_rcode(&header) == DNS_RCODE_NXDOMAIN);
    on_outcome(probe, success);
}

static void schedule(struct probe *probe, unsigned ms)
{
    struct timeval delay = milliseconds(ms);
    event_add(probe->timer, &delay);
}

static void on_timer(evutil_socket_t descriptor, short what, void *ctx)
{
    struct probe *probe = ctx;
    const struct config_health_check *check = probe->health->check;
    unsigned char *query;
    int size;
    (void)descriptor;
    (void)what;
    schedule(probe, check->interval_ms);
    int status =
        ares_create_query(check->name, ns_c_in, check->type,
                          random_pool_u16(&probe->health->random), 1, &query, &size, EDNS_UDP_SIZE);
    if (status != ARES_SUCCESS) {
        on_outcome(probe, false);
        return;
    }
    ares_send(ares_loop_channel(probe->loop), query, size, on_answer, probe);
    ares_free_string(query);
    ares_loop_started(probe->loop);
}

static void probe_free(struct probe *probe)
{
    ares_loop_free(probe->loop);
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
    char why[WHY_MAX];
    unsigned interval_ms = health->check->interval_ms;
    struct ares_loop_options options = {
        .servers = target->text,
        .timeout_ms = interval_ms < TIMEOUT_MAX_MS ? interval_ms : TIMEOUT_MAX_MS,
        .tries = 1,
        .flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
    };
    struct probe *probe = calloc(1, sizeof(*probe));
    if (probe == NULL) {
        return NULL;
    }
    probe->health = health;
    probe->target = upstream_target_ref(target);
    probe->timer = evtimer_new(health->base, on_timer, probe);
    probe->loop = ares_loop_new(health->base, &options, why);
    if (probe->timer == NULL || probe->loop == NULL) {
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

/* A server that cannot be probed counts as up: its queries show what it is worth. So does one with
 * a link-local address, which c-ares cannot reach. */
static void follow(struct health *health, struct upstream_target *target)
{
    struct probe *probe = find(health, target);
    if (probe == NULL) {
        if (upstream_target_is_link_local(target)) {
            return;
        }
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
