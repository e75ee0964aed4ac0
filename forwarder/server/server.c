/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The daemon's life: start, run, stop (see server.h).
 */
#include "forwarder/server/server.h"

#include <event2/event.h>
#include <malloc.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "forwarder/client_quota.h"
#include "forwarder/hangup.h"
#include "forwarder/quic/quic_credentials.h"
#include "forwarder/rate_limit.h"
#include "forwarder/server/control.h"
#include "forwarder/server/inherited_sockets.h"
#include "forwarder/server/keeper.h"
#include "forwarder/server/listen_rows.h"
#include "forwarder/server/listener_view.h"
#include "forwarder/server/metrics_listener.h"
#include "forwarder/server/server_state.h"
#include "forwarder/server/service_manager.h"
#include "forwarder/stream/tls_tickets.h"
#include "forwarder/tap/tap.h"

#define LARGE_BLOCK (1 << 20) /* octets, see give_back_large_blocks */

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

static void on_notified(evutil_socket_t descriptor, short what, void *ctx)
{
    struct server *server = ctx;
    uint64_t count;
    (void)what;
    (void)!read(descriptor, &count, sizeof count);
    server_collect(server);
    server_top_collect(server);
    if (server_workers_ended(server)) {
        event_base_loopbreak(server->base);
    }
}

static void on_hangup(evutil_socket_t number, short what, void *ctx)
{
    (void)number;
    (void)what;
    const struct server_ask ask = {.strictness = GENERATION_LENIENT,
                                   .asker = {.kind = AUDIT_ASKER_SIGNAL}};
    server_ask_reload(ctx, &ask, 0);
}

/* Before workers run, the start itself ends when it sees the flag. */
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
    server_stop_workers(server);
}

static bool add_signal(struct server *server, size_t index, int number, event_callback_fn handler)
{
    server->signals[index] = evsignal_new(server->base, number, handler, server);
    return server->signals[index] != NULL && event_add(server->signals[index], NULL) == 0;
}

/* Everything in the main thread that needs no configuration. */
static bool make_loop(struct server *server, char why[static WHY_MAX])
{
    snprintf(why, WHY_MAX, "out of memory");
    server->base = event_base_new();
    server->shared.notify = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (server->base == NULL || server->shared.notify < 0 || !tally_init(&server->tally)) {
        return false;
    }
    server->notified =
        event_new(server->base, server->shared.notify, EV_READ | EV_PERSIST, on_notified, server);
    server->order_timer = evtimer_new(server->base, on_order_timer, server);
    bool made = server->notified != NULL && server->order_timer != NULL && make_tickets(server) &&
                add_signal(server, 0, SIGHUP, on_hangup) &&
                add_signal(server, 1, SIGTERM, on_end) && add_signal(server, 2, SIGINT, on_end);
    if (made) {
        hangup_let_in();
    }
    return made;
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
        snprintf(why, WHY_MAX, "the configuration has errors");
        return false;
    }
    log_set_format(server->config->log_format); /* what is loaded is told in it already */
    if (!server_confine(server, why)) {
        return false;
    }
    loader_set_tickets(server->loader, server->tickets);
    server->control =
        control_new(server->base, server->config->control, server_on_request, server, why);
    if (server->control == NULL) {
        return server_refused(server, "control", why);
    }
    if (!server_audit_start(server, why)) {
        return server_refused(server, "state", why);
    }
    server_follow_files(server);
    server_load_begins(server);
    loader_run(server->loader, &result);
    server_load_ended(server, result.generation != NULL, &result.problems);
    server_log_problems(&result.problems);
    problem_list_fini(&result.problems);
    if (result.generation == NULL) {
        snprintf(why, WHY_MAX, "no generation could be loaded");
        return false;
    }
    if (!server_publish(server, &result, NULL)) {
        return false;
    }
    server_follow_files(server);
    return true;
}

static bool make_shared(struct server *server)
{
    server->shared.config = server->config;
    server->shared.quota = client_quota_new(server->config->limits.tcp_connections,
                                            server->config->limits.tcp_per_client);
    server->shared.rate_limit = rate_limit_new();
    server->shared.tickets = quic_tickets_new();
    server->rows = listen_rows_new();
    return server->shared.quota != NULL && server->shared.rate_limit != NULL &&
           server->shared.tickets != NULL && server->rows != NULL;
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
    return make_shared(server) &&
           (control_start(server->control, why) || server_refused(server, "control", why)) &&
           (server_start_upstreams(server, why) || server_refused(server, "upstream", why)) &&
           (server_start_tap(server, why) || server_refused(server, "dnstap", why)) &&
           server_make_workers(server, why) &&
           (server_start_metrics(server, why) || server_refused(server, "metrics", why)) &&
           server_run_workers(server, why);
}

static void run(struct server *server)
{
    const struct generation *generation = server_generation(server);
    event_add(server->notified, NULL);
    server_follow_orders(server);
    server_service_start(server);
    listener_view_log(server->workers, server->worker_count, server->config->limits.receive_buffer);
    log_event(LOG_LEVEL_INFO, "server", "ready", "version=%s workers=%zu generation=%llu",
              BAILIWICK_VERSION, server->worker_count, (unsigned long long)generation->number);
    server_load_asked(server);
    if (server->stopping) {
        server_stop_workers(server);
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

/* In the reverse order of the start. Threads that are still at work are left alone. */
static void finish(struct server *server)
{
    hangup_hold();
    server_top_stop(server);
    server_stop_watch(server);
    control_free(server->control);
    metrics_listener_free(server->metrics);
    server_audit_stop(server);
    if (!server_all_written(server)) {
        loader_forsake(server->loader);
        keeper_forsake(server->keeper);
        _exit(server->exit_status);
    }
    keeper_free(server->keeper);
    loader_free(server->loader);
    server_free_workers(server);
    tap_free(server->shared.tap);
    inherited_sockets_free(server->inherited);
    quic_tickets_free(server->shared.tickets);
    client_quota_free(server->shared.quota);
    rate_limit_free(server->shared.rate_limit);
    listen_rows_free(server->rows);
    server_free_upstreams(server);
    server_free_generations(server);
    server_audit_free(server);
    config_free(server->config);
    tally_fini(&server->tally);
    problem_list_fini(&server->refused);
    for (size_t i = 0; i < sizeof server->signals / sizeof server->signals[0]; i++) {
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
              log_quote(message, value, sizeof value));
}

/* The maps of large lists are to be given back to the kernel with their generation. By itself the C
 * library takes the first such block that is freed as a reason to keep the next ones: after some
 * reloads of a list of 1.6 million names the process had 59 MB instead of 24.
 */
static void give_back_large_blocks(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
}

int server_run(const char *config_path)
{
    char why[WHY_MAX] = "";
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
    hangup_hold();
    server.inherited = inherited_sockets_take(); /* before any descriptor is opened */
    signal(SIGPIPE, SIG_IGN);
    event_set_log_callback(on_libevent_message);
    raise_descriptor_limit();
    give_back_large_blocks();
    if (!server_clock_start(&server, why) || !make_loop(&server, why) || !load(&server, why)) {
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
