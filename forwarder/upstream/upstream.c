/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Choosing servers, retries and deadlines (see upstream.h).
 */
#include "forwarder/upstream/upstream.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "forwarder/config/config.h"
#include "forwarder/counters.h"
#include "forwarder/log.h"
#include "forwarder/milliseconds.h"
#include "forwarder/upstream/upstream_stream.h"
#include "forwarder/upstream/upstream_udp.h"

/* Each socket lives UPSTREAM_UDP_SOCKETS times this long while there are queries. */
#define RENEW_MS 5000

struct upstream_server {
    struct upstream_target *target;
    struct upstream_udp *udp; /* NULL: everything goes over TLS */
    struct upstream_streams *streams;
    uint64_t leaving; /* number of the last set that listed it; 0: it is listed now */
    TAILQ_ENTRY(upstream_server) link;
};

TAILQ_HEAD(upstream_server_list, upstream_server);

struct upstream {
    struct upstream_env *env;
    struct upstream_set *set; /* in use; freed by the main thread once it is reported left */
    uint64_t set_number;
    struct upstream_server **servers; /* in the order of the set */
    size_t count;
    size_t turn;                     /* index where the search for the least busy server starts */
    struct upstream_server_list all; /* servers in use and leaving */
    struct event *deadline;
    uint64_t wakes_ms; /* when deadline is due; 0: it is not pending */
    struct event *renewal;
    bool renewal_pending;
};

/* Which servers may be asked. */
struct candidates {
    const struct inflight_entry *entry;  /* not those that it waits on already; may be NULL */
    const struct upstream_target *avoid; /* nor this one; may be NULL */
    bool down_too;
};

static bool is_drained(const struct upstream_server *server)
{
    return atomic_load_explicit(&server->target->drained, memory_order_relaxed);
}

static bool may_ask(const struct upstream_server *server, const struct candidates *candidates)
{
    const struct inflight_entry *entry = candidates->entry;
    if (server->target == candidates->avoid || is_drained(server) ||
        (!candidates->down_too &&
         !atomic_load_explicit(&server->target->up, memory_order_relaxed)) ||
        (server->udp == NULL && !upstream_streams_usable(server->streams))) {
        return false;
    }
    for (unsigned i = 0; entry != NULL && i < entry->attempt_count; i++) {
        if (entry->attempts[i].channel->server == server) {
            return false;
        }
    }
    return true;
}

/* Highest random weight (rendezvous) hashing: a client stays with its server as long as that is up,
 * whatever happens to the others. */
static uint64_t weight(const struct address *client, const struct upstream_target *target)
{
    uint64_t hash = target->hash;
    for (unsigned i = 0; i < sizeof client->octet; i++) {
        hash = (hash ^ client->octet[i]) * 0x100000001B3U;
    }
    hash ^= hash >> 32;
    hash *= 0x9E3779B97F4A7C15U;
    return hash ^ hash >> 29;
}

static uint32_t outstanding(const struct upstream *upstream, const struct upstream_server *server)
{
    const struct upstream_counts *counts =
        upstream_target_counts(server->target, upstream->env->worker);
    return atomic_load_explicit(&counts->outstanding, memory_order_relaxed);
}

/* Is a the better choice? Both may be asked. */
static bool better(const struct upstream *upstream, const struct upstream_server *a,
                   const struct upstream_server *b, const struct address *client)
{
    switch (upstream->env->config->balance) {
    case CONFIG_BALANCE_FIRST:
        return false; /* the one seen first stays */
    case CONFIG_BALANCE_LEAST_OUTSTANDING:
        return outstanding(upstream, a) < outstanding(upstream, b);
    case CONFIG_BALANCE_CLIENT_HASH:
        return weight(client, a->target) > weight(client, b->target);
    }
    return false;
}

/* The place behind this one, the first behind the last. */
static size_t turn_after(const struct upstream *upstream, size_t at)
{
    return at + 1 < upstream->count ? at + 1 : 0;
}

/* Apart, so that who has one server does not pay for comparing. */
static __attribute__((noinline)) struct upstream_server *
best_of_several(const struct upstream *upstream, const struct address *client,
                const struct candidates *candidates)
{
    struct upstream_server *best = NULL;
    size_t at = upstream->turn;
    for (size_t i = 0; i < upstream->count; i++) {
        struct upstream_server *server = upstream->servers[at];
        if (may_ask(server, candidates) &&
            (best == NULL || better(upstream, server, best, client))) {
            best = server;
        }
        at = turn_after(upstream, at);
    }
    return best;
}

static struct upstream_server *best_of(const struct upstream *upstream,
                                       const struct address *client,
                                       const struct candidates *candidates)
{
    if (upstream->count == 1) {
        return may_ask(upstream->servers[0], candidates) ? upstream->servers[0] : NULL;
    }
    return best_of_several(upstream, client, candidates);
}

static bool all_down(const struct upstream *upstream)
{
    for (size_t i = 0; i < upstream->count; i++) {
        const struct upstream_server *server = upstream->servers[i];
        assert(server != NULL); /* count says how many there are */
        if (atomic_load_explicit(&server->target->up, memory_order_relaxed) &&
            !is_drained(server)) {
            return false;
        }
    }
    return true;
}

/* The server to ask next; NULL if there is none left. With every server down, all count as up but
 * those that are drained: the operator knows why. */
static struct upstream_server *pick(struct upstream *upstream, const struct address *client,
                                    const struct candidates *candidates)
{
    struct upstream_server *server = best_of(upstream, client, candidates);
    if (server == NULL && all_down(upstream)) {
        struct candidates down_too = *candidates;
        down_too.down_too = true;
        server = best_of(upstream, client, &down_too);
    }
    if (upstream->env->config->balance == CONFIG_BALANCE_LEAST_OUTSTANDING) {
        upstream->turn = turn_after(upstream, upstream->turn);
    }
    return server;
}

static void arm_renewal(struct upstream *upstream)
{
    struct timeval delay = milliseconds(RENEW_MS);
    if (!upstream->renewal_pending) {
        upstream->renewal_pending = event_add(upstream->renewal, &delay) == 0;
    }
}

/* The timer is not put off with every answer: it wakes at most once a deadline. It is moved only to
 * an earlier one: a retry, while it stands at the end of a query that is asked once. */
static void arm_deadline(struct upstream *upstream)
{
    const struct config_upstream *config = upstream->env->config;
    uint64_t now = upstream->env->clock->ms;
    uint64_t due;
    if (!inflight_next_due(upstream->env->inflight, config->retry_after_ms, config->timeout_ms,
                           &due) ||
        (upstream->wakes_ms != 0 && upstream->wakes_ms <= due)) {
        return;
    }
    struct timeval delay = milliseconds(due > now ? due - now : 1);
    upstream->wakes_ms = event_add(upstream->deadline, &delay) == 0 ? due : 0;
}

/* Only TCP and TLS carry what came by a stream; only TLS goes to a server that has it. */
static bool send_by_transport(struct upstream *upstream, struct upstream_server *server,
                              struct inflight_entry *entry)
{
    if (server->udp == NULL || entry->origin.kind != ORIGIN_DATAGRAM) {
        return upstream_streams_send(server->streams, entry);
    }
    arm_renewal(upstream);
    return upstream_udp_send(server->udp, entry);
}

/* A datagram of a client is asked again if it must wait: of the next server, or of the same one
 * over another connection, should the first one be dead. */
static bool send_to(struct upstream *upstream, struct upstream_server *server,
                    struct inflight_entry *entry)
{
    if (!send_by_transport(upstream, server, entry)) {
        return false;
    }
    if (entry->origin.kind == ORIGIN_DATAGRAM && entry->retry &&
        (upstream->count > 1 || server->udp == NULL) && entry->attempt_count < INFLIGHT_ATTEMPTS) {
        inflight_await_retry(upstream->env->inflight, entry);
    }
    return true;
}

bool upstream_ask(struct upstream *upstream, struct inflight_entry *entry)
{
    struct candidates anyone = {.entry = entry};
    struct upstream_server *server = pick(upstream, &entry->client, &anyone);
    return server != NULL && send_to(upstream, server, entry);
}

void upstream_flush(struct upstream *upstream)
{
    for (size_t i = 0; i < upstream->count; i++) {
        if (upstream->servers[i]->udp != NULL) {
            upstream_udp_flush(upstream->servers[i]->udp);
        }
    }
    arm_deadline(upstream);
}

struct upstream_target *upstream_choose(struct upstream *upstream, const struct address *client,
                                        const struct upstream_target *avoid)
{
    struct upstream_server *server = pick(upstream, client, &(struct candidates){.avoid = avoid});
    if (server == NULL) {
        server = pick(upstream, client, &(struct candidates){0});
    }
    return server == NULL ? NULL : server->target;
}

bool upstream_lists(const struct upstream *upstream, const struct upstream_target *target)
{
    for (size_t i = 0; i < upstream->count; i++) {
        if (upstream->servers[i]->target == target) {
            return true;
        }
    }
    return false;
}

static void count_timeouts(const struct inflight_entry *entry)
{
    for (unsigned i = 0; i < entry->attempt_count; i++) {
        counters_bump(&entry->attempts[i].channel->counts->timeouts);
    }
}

static void give_up(struct upstream *upstream, struct inflight_entry *entry)
{
    struct upstream_env *env = upstream->env;
    upstream_streams_give_up(entry);
    env->events.on_unanswered(env->events.ctx, entry);
    inflight_take(env->inflight, entry);
}

/* As pick, for a query that would end in SERVFAIL: one that counts as down is asked before that.
 * What health checks say is as old as they are, and the one that is up may just have died. */
static struct upstream_server *pick_at_last(struct upstream *upstream, const struct address *client,
                                            const struct candidates *candidates)
{
    struct upstream_server *server = pick(upstream, client, candidates);
    if (server == NULL) {
        struct candidates down_too = *candidates;
        down_too.down_too = true;
        server = best_of(upstream, client, &down_too);
    }
    return server;
}

/* The connection that carried the query broke. One that the server never took cost nothing: another
 * server is asked. On one that it took, the query may have been seen: asked again only if asking
 * twice does no harm. */
static void on_broken(void *ctx, struct inflight_entry *entry, struct upstream_server *broken,
                      bool reached)
{
    struct upstream *upstream = ctx;
    struct candidates others = {.avoid = reached ? NULL : broken->target};
    struct upstream_server *server = NULL;
    if (entry->attempt_count > 0) {
        return; /* it waits for another server's answer too */
    }
    if (entry->tries < UPSTREAM_TRIES && (entry->retry || !reached)) {
        server = pick_at_last(upstream, &entry->client, &others);
    }
    if (server == NULL || !send_to(upstream, server, entry)) {
        give_up(upstream, entry);
        return;
    }
    counters_add(upstream->env->counters, COUNTER_RETRIED);
}

/* Asks the next server too; the attempts before stay valid. */
static void retry(struct upstream *upstream, struct inflight_entry *entry)
{
    bool silent = upstream_streams_doubt(entry);
    struct upstream_server *server =
        pick(upstream, &entry->client, &(struct candidates){.entry = entry});
    if (server == NULL && silent) {
        server = pick(upstream, &entry->client, &(struct candidates){0});
    }
    if (server != NULL && send_to(upstream, server, entry)) {
        counters_add(upstream->env->counters, COUNTER_RETRIED);
    }
}

/* An answer was none: the entry waits on nothing. */
static void ask_again(struct upstream *upstream, struct inflight_entry *entry)
{
    if (!upstream_ask(upstream, entry)) {
        give_up(upstream, entry);
    }
}

/* Everything that fell due before this instant; 0 if the clock is younger than that. */
static uint64_t before(uint64_t now, uint64_t ms)
{
    return now > ms ? now - ms : 0;
}

static void on_deadline(evutil_socket_t descriptor, short what, void *ctx)
{
    struct upstream *upstream = ctx;
    struct upstream_env *env = upstream->env;
    struct inflight_entry *entry;
    (void)descriptor;
    (void)what;
    upstream_clock_read(env->clock);
    upstream->wakes_ms = 0;
    uint64_t now = env->clock->ms;
    while ((entry = inflight_overdue(env->inflight, before(now, env->config->timeout_ms)))) {
        count_timeouts(entry);
        give_up(upstream, entry);
    }
    while ((entry = inflight_due_retry(env->inflight, before(now, env->config->retry_after_ms)))) {
        retry(upstream, entry);
    }
    upstream_flush(upstream);
    env->events.on_batch_end(env->events.ctx);
}

static void server_free(struct upstream_server *server)
{
    if (server == NULL) {
        return;
    }
    upstream_streams_free(server->streams);
    upstream_udp_free(server->udp);
    free(server);
}

static struct upstream_server *server_new(struct upstream *upstream, struct upstream_target *target)
{
    struct upstream_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        return NULL;
    }
    server->target = target;
    if (target->tls_name == NULL) {
        server->udp = upstream_udp_new(upstream->env, server, target);
    }
    server->streams = upstream_streams_new(upstream->env, server, target, on_broken, upstream);
    if ((server->udp == NULL && target->tls_name == NULL) || server->streams == NULL) {
        server_free(server);
        return NULL;
    }
    return server;
}

/* Tells the main thread which sets it may free. */
static void report_oldest_set(const struct upstream *upstream)
{
    uint64_t oldest = upstream->set_number;
    const struct upstream_server *server;
    TAILQ_FOREACH(server, &upstream->all, link)
    {
        if (server->leaving != 0 && server->leaving < oldest) {
            oldest = server->leaving;
        }
    }
    atomic_store_explicit(upstream->env->oldest_set, oldest, memory_order_release);
}

/* Closes servers that no set lists any more and that owe no answer. */
static void free_left(struct upstream *upstream)
{
    struct upstream_server *server = TAILQ_FIRST(&upstream->all);
    while (server != NULL) {
        struct upstream_server *next = TAILQ_NEXT(server, link);
        if (server->leaving != 0 && outstanding(upstream, server) == 0) {
            TAILQ_REMOVE(&upstream->all, server, link);
            server_free(server);
        }
        server = next;
    }
    report_oldest_set(upstream);
}

static void on_renewal(evutil_socket_t descriptor, short what, void *ctx)
{
    struct upstream *upstream = ctx;
    struct upstream_server *server;
    bool more = false;
    (void)descriptor;
    (void)what;
    upstream_clock_read(upstream->env->clock);
    upstream->renewal_pending = false;
    TAILQ_FOREACH(server, &upstream->all, link)
    {
        more |= server->leaving != 0;
        more |= server->udp != NULL && upstream_udp_renew(server->udp);
    }
    free_left(upstream);
    if (upstream->set != NULL && upstream->count < upstream->set->count) {
        upstream_adopt(upstream, upstream->set); /* one had no sockets: are there any now? */
    } else if (more) {
        arm_renewal(upstream);
    }
}

struct upstream *upstream_new(struct upstream_env *env)
{
    struct upstream *upstream = calloc(1, sizeof *upstream);
    if (upstream == NULL) {
        return NULL;
    }
    upstream->env = env;
    env->upstream = upstream;
    env->ask_again = ask_again;
    TAILQ_INIT(&upstream->all);
    upstream->deadline = evtimer_new(env->base, on_deadline, upstream);
    upstream->renewal = evtimer_new(env->base, on_renewal, upstream);
    if (upstream->deadline == NULL || upstream->renewal == NULL) {
        upstream_free(upstream);
        return NULL;
    }
    return upstream;
}

void upstream_free(struct upstream *upstream)
{
    if (upstream == NULL) {
        return;
    }
    upstream->count = 0; /* a query whose stream is closed now finds no other server */
    while (!TAILQ_EMPTY(&upstream->all)) {
        struct upstream_server *server = TAILQ_FIRST(&upstream->all);
        TAILQ_REMOVE(&upstream->all, server, link);
        server_free(server);
    }
    free(upstream->servers);
    if (upstream->deadline != NULL) {
        event_free(upstream->deadline);
    }
    if (upstream->renewal != NULL) {
        event_free(upstream->renewal);
    }
    free(upstream);
}

static struct upstream_server *find_server(struct upstream *upstream,
                                           const struct upstream_target *target)
{
    struct upstream_server *server;
    TAILQ_FOREACH(server, &upstream->all, link)
    {
        if (server->target == target) {
            return server;
        }
    }
    return NULL;
}

/* The server of a target: one that is there already, or a new one. That there are no sockets for it
 * is told once for each set, not at each further try. */
static struct upstream_server *obtain_server(struct upstream *upstream,
                                             struct upstream_target *target, bool again)
{
    struct upstream_server *server = find_server(upstream, target);
    if (server == NULL) {
        server = server_new(upstream, target);
        if (server == NULL) {
            log_event(again ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR, "upstream",
                      "no sockets for a server", "address=%s", target->text);
            return NULL;
        }
        TAILQ_INSERT_TAIL(&upstream->all, server, link);
    }
    server->leaving = 0;
    return server;
}

/* Queries in flight may be sent again in a way that tells who asked: of them nobody is told. */
static void forget_ends(struct upstream *upstream)
{
    static const struct query_ends nobody;
    struct inflight_entry *entry = NULL;
    while ((entry = inflight_next(upstream->env->inflight, entry)) != NULL) {
        entry->ends = nobody;
    }
}

/* How servers are asked from now on. */
static void adopt_config(struct upstream *upstream, const struct upstream_set *set)
{
    struct upstream_env *env = upstream->env;
    if (set->config == NULL || set->config == env->config) {
        return;
    }
    if (!env->keeps_ends && env->config->send_client != CONFIG_SEND_PROXY) {
        forget_ends(upstream);
    }
    env->config = set->config;
    env->tls = set->tls;
    if (upstream->wakes_ms != 0) {
        event_del(upstream->deadline); /* times may be shorter now */
        upstream->wakes_ms = 0;
    }
    arm_deadline(upstream);
}

void upstream_adopt(struct upstream *upstream, struct upstream_set *set)
{
    struct upstream_server *server;
    struct upstream_server **servers = calloc(set->count + 1, sizeof(struct upstream_server *));
    if (servers == NULL) {
        return; /* the set before stays in use */
    }
    TAILQ_FOREACH(server, &upstream->all, link)
    {
        if (server->leaving == 0) {
            server->leaving = upstream->set_number;
        }
    }
    bool again = upstream->set == set;
    adopt_config(upstream, set);
    free(upstream->servers);
    upstream->servers = servers;
    upstream->count = 0;
    upstream->turn = 0;
    upstream->set = set;
    upstream->set_number = set->number;
    for (size_t i = 0; i < set->count; i++) {
        server = obtain_server(upstream, set->targets[i], again);
        if (server != NULL) {
            servers[upstream->count++] = server;
        }
    }
    upstream->env->servers = upstream->count;
    free_left(upstream);
    arm_renewal(upstream);
}
