/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The daemon's life: start, run, stop (see server.h).
 */
#include "forwarder/server/server.h"

#include <event2/event.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "forwarder/client_quota.h"
#include "forwarder/generation/trusted_certificates.h"
#include "forwarder/quic/quic_credentials.h"
#include "forwarder/server/control.h"
#include "forwarder/server/inherited_sockets.h"
#include "forwarder/server/keeper.h"
#include "forwarder/server/listen_sockets.h"
#include "forwarder/server/server_state.h"
#include "forwarder/server/service_manager.h"
#include "forwarder/stream/tls_tickets.h"
#include "forwarder/upstream/health.h"
#include "forwarder/upstream/upstream_names.h"
#include "forwarder/upstream/upstream_set.h"
#include "forwarder/upstream/upstream_tls.h"

/* How long an end waits for what is being kept, at most. */
#define KEEP_TIMEOUT_MS 5000

/* How often a new set of upstreams asks whether the ones before may go. */
static void collect_sets(struct server *server)
{
    uint64_t oldest = UINT64_MAX;
    for (size_t i = 0; i < server->worker_count; i++) {
        uint64_t number = atomic_load(&server->workers[i]->oldest_set);
        oldest = number < oldest ? number : oldest;
    }
    struct server_set *item = TAILQ_FIRST(&server->sets);
    while (item != NULL && TAILQ_NEXT(item, link) != NULL && item->set->number < oldest) {
        struct server_set *next = TAILQ_NEXT(item, link);
        TAILQ_REMOVE(&server->sets, item, link);
        upstream_set_free(item->set);
        free(item);
        item = next;
    }
}

static void on_set(void *ctx, struct upstream_set *set)
{
    struct server *server = ctx;
    struct server_set *item = calloc(1, sizeof(*item));
    if (item == NULL) {
        upstream_set_free(set); /* the one before stays in use */
        return;
    }
    item->set = set;
    TAILQ_INSERT_TAIL(&server->sets, item, link);
    if (server->health != NULL) {
        health_follow(server->health, set);
    }
    if (server->running) {
        for (size_t i = 0; i < server->worker_count; i++) {
            worker_offer_set(server->workers[i], set);
        }
        collect_sets(server);
    }
}

static void on_order_timer(evutil_socket_t descriptor, short what, void *ctx)
{
    (void)descriptor;
    (void)what;
    server_follow_orders(ctx);
}

static void on_ticket_timer(evutil_socket_t descriptor, short what, void *ctx)
{
    struct server *server = ctx;
    (void)descriptor;
    (void)what;
    tls_tickets_rotate(server->tickets);
}

/* Keys of tickets, and their rotation. */
static bool make_tickets(struct server *server)
{
    const struct timeval period = {.tv_sec = TLS_TICKETS_ROTATE_S};
    server->tickets = tls_tickets_new();
    server->ticket_timer = event_new(server->base, -1, EV_PERSIST, on_ticket_timer, server);
    return server->tickets != NULL && server->ticket_timer != NULL &&
           event_add(server->ticket_timer, &period) == 0;
}

static bool all_ended(const struct server *server)
{
    for (size_t i = 0; i < server->worker_count; i++) {
        if (!atomic_load(&server->workers[i]->ended)) {
            return false;
        }
    }
    return true;
}

static void on_notified(evutil_socket_t descriptor, short what, void *ctx)
{
    struct server *server = ctx;
    uint64_t count;
    (void)what;
    (void)!read(descriptor, &count, sizeof(count));
    server_collect(server);
    if (all_ended(server)) {
        event_base_loopbreak(server->base);
    }
}

static void on_hangup(evutil_socket_t number, short what, void *ctx)
{
    (void)number;
    (void)what;
    const struct server_ask ask = {.strictness = GENERATION_LENIENT};
    server_ask_reload(ctx, &ask, 0);
}

/* Before they run, the start itself ends when it sees the flag. */
static void stop_workers(struct server *server)
{
    for (size_t i = 0; server->running && i < server->worker_count; i++) {
        worker_stop(server->workers[i]);
    }
}

static void on_end(evutil_socket_t number, short what, void *ctx)
{
    struct server *server = ctx;
    (void)what;
    if (server->stopping) {
        return;
    }
    server->stopping = true;
    log_event(LOG_LEVEL_INFO, "server", "stopping", "signal=%d", (int)number);
    service_manager_stopping();
    stop_workers(server);
}

static bool add_signal(struct server *server, size_t index, int number, event_callback_fn handler)
{
    server->signals[index] = evsignal_new(server->base, number, handler, server);
    return server->signals[index] != NULL && event_add(server->signals[index], NULL) == 0;
}

/* Everything in the main thread that needs no configuration. */
static bool make_loop(struct server *server)
{
    server->base = event_base_new();
    server->shared.notify = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (server->base == NULL || server->shared.notify < 0 || !tally_init(&server->tally)) {
        return false;
    }
    server->notified =
        event_new(server->base, server->shared.notify, EV_READ | EV_PERSIST, on_notified, server);
    server->order_timer = evtimer_new(server->base, on_order_timer, server);
    return server->notified != NULL && server->order_timer != NULL && make_tickets(server) &&
           add_signal(server, 0, SIGHUP, on_hangup) && add_signal(server, 1, SIGTERM, on_end) &&
           add_signal(server, 2, SIGINT, on_end);
}

/* As many descriptors as the system allows: each client stream takes one. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static size_t count_workers(const struct config *config)
{
    cpu_set_t cpus;
    if (config->workers > 0) {
        return config->workers;
    }
    if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0 || CPU_COUNT(&cpus) < 1) {
        return 1;
    }
    return (size_t)CPU_COUNT(&cpus);
}

static bool read_config(struct server *server)
{
    struct problem_list problems;
    problem_list_init(&problems);
    server->config = loader_read(server->loader, &problems);
    server_log_problems(&problems);
    problem_list_fini(&problems);
    return server->config != NULL;
}

/* The configuration, the lock that keeps a second daemon out, and the first generation. */
static bool load(struct server *server, char why[static WHY_MAX])
{
    struct loader_result result;
    server->loader = loader_new(server->base, server->config_path, server_on_loaded, server, why);
    if (server->loader == NULL) {
        return false;
    }
    server->keeper = keeper_new(server->base, server_on_kept, server, why);
    if (server->keeper == NULL) {
        return false;
    }
    if (!read_config(server)) {
        return false;
    }
    loader_set_tickets(server->loader, server->tickets);
    server->control =
        control_new(server->base, server->config->control, server_on_request, server, why);
    if (server->control == NULL) {
        return false;
    }
    server_follow_files(server);
    loader_run(server->loader, &result);
    server_log_problems(&result.problems);
    problem_list_fini(&result.problems);
    server->worker_count = count_workers(server->config);
    if (result.generation == NULL) {
        snprintf(why, WHY_MAX, "no generation could be loaded");
        return false;
    }
    if (!server_publish(server, &result)) {
        return false;
    }
    server_follow_files(server);
    return true;
}

static bool start_upstreams(struct server *server, char why[static WHY_MAX])
{
    const struct config_upstream *config = &server->config->upstream;
    if (trusted_certificates_wanted(config)) {
        server->shared.upstream_tls = upstream_tls_new(config, why);
        if (server->shared.upstream_tls == NULL) {
            return false;
        }
    }
    server->names = upstream_names_new(server->base, config, server->worker_count, why);
    if (server->names == NULL || !upstream_names_start(server->names, on_set, server)) {
        return false;
    }
    if (!config->health_check.enabled) {
        return true;
    }
    server->health = health_new(server->base, config, server->shared.upstream_tls, why);
    if (server->health == NULL) {
        return false;
    }
    health_follow(server->health, TAILQ_LAST(&server->sets, server_set_list)->set);
    return true;
}

/* The next start finds them, with all that waits in them. */
static void keep_sockets(const struct worker_setup *setup)
{
    for (size_t i = 0; i < setup->socket_count; i++) {
        char name[INHERITED_SOCKETS_NAME_MAX];
        service_manager_keep(setup->sockets[i].descriptor,
                             inherited_sockets_name(setup->sockets[i].listen, name));
    }
}

static struct worker *make_worker(struct server *server, unsigned index, bool last,
                                  char why[static WHY_MAX])
{
    struct worker_setup setup = {
        .index = index,
        .published = TAILQ_LAST(&server->published, server_published_list)->published,
        .set = TAILQ_LAST(&server->sets, server_set_list)->set,
    };
    struct worker_socket *sockets =
        listen_sockets_open(server->config, server->inherited, last, &setup.socket_count, why);
    if (sockets == NULL) {
        return NULL;
    }
    setup.sockets = sockets;
    keep_sockets(&setup);
    struct worker *worker = worker_new(&server->shared, &setup, why);
    free(sockets);
    return worker;
}

/* All sockets are bound before the first worker reads: a port that is taken stops the start whole.
 */
static bool start_workers(struct server *server, char why[static WHY_MAX])
{
    server->shared.config = server->config;
    server->shared.quota = client_quota_new(server->config->limits.tcp_connections,
                                            server->config->limits.tcp_per_client);
    server->shared.tickets = quic_tickets_new();
    server->shared.workers = (unsigned)server->worker_count;
    struct worker **workers = calloc(server->worker_count, sizeof(struct worker *));
    if (server->shared.quota == NULL || server->shared.tickets == NULL || workers == NULL) {
        free(workers);
        return false;
    }
    size_t wanted = server->worker_count;
    server->workers = workers;
    for (server->worker_count = 0; server->worker_count < wanted; server->worker_count++) {
        unsigned index = (unsigned)server->worker_count;
        workers[index] = make_worker(server, index, index + 1 == wanted, why);
        if (workers[index] == NULL) {
            return false;
        }
    }
    inherited_sockets_free(server->inherited);
    server->inherited = NULL;
    return true;
}

static bool run_workers(struct server *server, char why[static WHY_MAX])
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
    return true;
}

/* Did a signal come while the first generation was loaded? */
static bool asked_to_end(struct server *server)
{
    event_base_loop(server->base, EVLOOP_NONBLOCK);
    return server->stopping;
}

static bool start(struct server *server, char why[static WHY_MAX])
{
    snprintf(why, WHY_MAX, "out of memory");
    return control_start(server->control, why) && start_upstreams(server, why) &&
           start_workers(server, why) && run_workers(server, why);
}

static void run(struct server *server)
{
    const struct generation *generation = server_generation(server);
    event_add(server->notified, NULL);
    server_follow_orders(server);
    server_service_start(server);
    log_event(LOG_LEVEL_INFO, "server", "ready", "version=%s workers=%zu generation=%llu",
              BAILIWICK_VERSION, server->worker_count, (unsigned long long)generation->number);
    if (server->stopping) {
        stop_workers(server);
    }
    event_base_dispatch(server->base);
    for (size_t i = 0; i < server->worker_count; i++) {
        worker_join(server->workers[i]);
    }
    log_event(LOG_LEVEL_INFO, "server", "stopped", "");
    server->exit_status = 0;
}

static void free_event(struct event *event)
{
    if (event != NULL) {
        event_free(event);
    }
}

static void free_sets(struct server *server)
{
    struct server_set *item;
    while ((item = TAILQ_FIRST(&server->sets)) != NULL) {
        TAILQ_REMOVE(&server->sets, item, link);
        upstream_set_free(item->set);
        free(item);
    }
}

/* Is a thread at work that may take its time, over a long list or a slow disk? */
static bool is_late(const struct server *server)
{
    return (server->loader != NULL && loader_busy(server->loader)) ||
           (server->keeper != NULL && !keeper_finish(server->keeper, KEEP_TIMEOUT_MS));
}

/* In the reverse order of the start. The end does not wait for a load, nor long for what is being
 * kept: what lies under state is whole at any moment. */
static void finish(struct server *server)
{
    server_stop_watch(server);
    control_free(server->control);
    if (is_late(server)) {
        _exit(server->exit_status);
    }
    keeper_free(server->keeper);
    loader_free(server->loader);
    health_free(server->health);
    upstream_names_free(server->names);
    for (size_t i = 0; server->workers != NULL && i < server->worker_count; i++) {
        worker_free(server->workers[i]);
    }
    free(server->workers);
    inherited_sockets_free(server->inherited);
    quic_tickets_free(server->shared.tickets);
    client_quota_free(server->shared.quota);
    upstream_tls_free(server->shared.upstream_tls);
    free_sets(server);
    server_free_generations(server);
    config_free(server->config);
    tally_fini(&server->tally);
    problem_list_fini(&server->refused);
    for (size_t i = 0; i < sizeof(server->signals) / sizeof(server->signals[0]); i++) {
        free_event(server->signals[i]);
    }
    free_event(server->watchdog);
    free_event(server->order_timer);
    free_event(server->ticket_timer);
    free_event(server->notified);
    if (server->shared.notify >= 0) {
        close(server->shared.notify);
    }
    if (server->base != NULL) {
        event_base_loop(server->base, EVLOOP_NONBLOCK); /* bufferevents freed above, see worker.c */
        event_base_free(server->base);
    }
    tls_tickets_free(server->tickets);
}

/* What libevent has to say goes where everything else does. */
static void on_libevent_message(int severity, const char *message)
{
    static const enum log_level levels[] = {
        [EVENT_LOG_DEBUG] = LOG_LEVEL_DEBUG,
        [EVENT_LOG_MSG] = LOG_LEVEL_INFO,
        [EVENT_LOG_WARN] = LOG_LEVEL_WARNING,
        [EVENT_LOG_ERR] = LOG_LEVEL_ERROR,
    };
    char value[LOG_VALUE_MAX];
    log_event(levels[severity], "libevent", "message", "text=%s",
              log_quote(message, value, sizeof(value)));
}

int server_run(const char *config_path)
{
    char why[WHY_MAX] = "the configuration has errors";
    struct server server = {
        .config_path = config_path,
        .started = (int64_t)time(NULL),
        .order_time = (int64_t)time(NULL),
        .exit_status = 1,
        .shared = {.notify = -1},
    };
    TAILQ_INIT(&server.asked);
    TAILQ_INIT(&server.loading);
    TAILQ_INIT(&server.adopting);
    TAILQ_INIT(&server.published);
    TAILQ_INIT(&server.sets);
    problem_list_init(&server.refused);
    server.inherited = inherited_sockets_take(); /* before any descriptor is opened */
    signal(SIGPIPE, SIG_IGN);
    event_set_log_callback(on_libevent_message);
    raise_descriptor_limit();
    if (!make_loop(&server)) {
        log_event(LOG_LEVEL_ERROR, "server", "cannot start", "reason=\"out of memory\"");
    } else if (!load(&server, why)) {
        log_event(LOG_LEVEL_ERROR, "server", "cannot start", "config=%s reason=\"%s\"", config_path,
                  why);
    } else if (asked_to_end(&server)) {
        server.exit_status = 0;
    } else if (!start(&server, why)) {
        log_event(LOG_LEVEL_ERROR, "server", "cannot start", "reason=\"%s\"", why);
    } else {
        run(&server);
    }
    finish(&server);
    return server.exit_status;
}
