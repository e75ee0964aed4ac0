/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The daemon's life: start, run, stop (see server.h).
 */
#include "forwarder/server.h"

#include <event2/event.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "forwarder/client_quota.h"
#include "forwarder/control.h"
#include "forwarder/health.h"
#include "forwarder/listen_sockets.h"
#include "forwarder/server_state.h"
#include "forwarder/upstream_names.h"
#include "forwarder/upstream_set.h"

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
    return server->notified != NULL && server->order_timer != NULL &&
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
    if (server->loader == NULL || !read_config(server)) {
        return false;
    }
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
    server->names = upstream_names_new(server->base, config, server->worker_count, why);
    if (server->names == NULL || !upstream_names_start(server->names, on_set, server)) {
        return false;
    }
    if (!config->health_check.enabled) {
        return true;
    }
    server->health = health_new(server->base, &config->health_check, why);
    if (server->health == NULL) {
        return false;
    }
    health_follow(server->health, TAILQ_LAST(&server->sets, server_set_list)->set);
    return true;
}

static struct worker *make_worker(struct server *server, unsigned index, char why[static WHY_MAX])
{
    struct worker_setup setup = {
        .index = index,
        .published = TAILQ_LAST(&server->published, server_published_list)->published,
        .set = TAILQ_LAST(&server->sets, server_set_list)->set,
    };
    struct worker_socket *sockets = listen_sockets_open(server->config, &setup.socket_count, why);
    if (sockets == NULL) {
        return NULL;
    }
    setup.sockets = sockets;
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
    struct worker **workers = calloc(server->worker_count, sizeof(struct worker *));
    if (server->shared.quota == NULL || workers == NULL) {
        free(workers);
        return false;
    }
    size_t wanted = server->worker_count;
    server->workers = workers;
    for (server->worker_count = 0; server->worker_count < wanted; server->worker_count++) {
        workers[server->worker_count] = make_worker(server, (unsigned)server->worker_count, why);
        if (workers[server->worker_count] == NULL) {
            return false;
        }
    }
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

/* In the reverse order of the start. A load that still runs may take its time over a long list, and
 * the end must not wait for it: what it writes under state is whole at any moment. */
static void finish(struct server *server)
{
    server_stop_watch(server);
    control_free(server->control);
    if (server->loader != NULL && loader_busy(server->loader)) {
        _exit(server->exit_status);
    }
    loader_free(server->loader);
    health_free(server->health);
    upstream_names_free(server->names);
    for (size_t i = 0; server->workers != NULL && i < server->worker_count; i++) {
        worker_free(server->workers[i]);
    }
    free(server->workers);
    client_quota_free(server->shared.quota);
    free_sets(server);
    server_free_generations(server);
    config_free(server->config);
    tally_fini(&server->tally);
    problem_list_fini(&server->refused);
    for (size_t i = 0; i < sizeof(server->signals) / sizeof(server->signals[0]); i++) {
        free_event(server->signals[i]);
    }
    free_event(server->order_timer);
    free_event(server->notified);
    if (server->shared.notify >= 0) {
        close(server->shared.notify);
    }
    if (server->base != NULL) {
        event_base_loop(server->base, EVLOOP_NONBLOCK); /* bufferevents freed above, see worker.c */
        event_base_free(server->base);
    }
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
