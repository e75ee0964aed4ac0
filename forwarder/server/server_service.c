/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The main thread and the service manager: when it is told what. A sign of life is given only while
 * the loop of every worker goes round, so that one that hangs has the daemon started anew.
 */
#include <event2/event.h>
#include <stdio.h>

#include "forwarder/milliseconds.h"
#include "forwarder/server/server_state.h"
#include "forwarder/server/service_manager.h"
#include "policy/policy.h"

#define STATUS_MAX 256

void server_service_ready(const struct server *server)
{
    const struct generation *generation = server_generation(server);
    char status[STATUS_MAX];
    int put =
        snprintf(status, sizeof status, "Generation %llu in force, %zu order%s",
                 (unsigned long long)generation->number, policy_order_count(generation->policy),
                 policy_order_count(generation->policy) == 1 ? "" : "s");
    size_t errors = generation->error_count + server->refused.errors;
    if (errors > 0) {
        snprintf(status + put, sizeof status - (size_t)put, "; %zu error%s, see bailiwick status",
                 errors, errors == 1 ? "" : "s");
    }
    service_manager_ready(status);
}

static void on_watchdog(evutil_socket_t descriptor, short what, void *ctx)
{
    struct server *server = ctx;
    bool alive = true;
    (void)descriptor;
    (void)what;
    for (size_t i = 0; i < server->worker_count; i++) {
        alive = alive && worker_gave_sign(server->workers[i]);
    }
    if (!alive) {
        return; /* it has the rest of its time to give the sign that it was asked for */
    }
    service_manager_alive();
    for (size_t i = 0; i < server->worker_count; i++) {
        worker_ask_sign(server->workers[i]);
    }
}

void server_service_start(struct server *server)
{
    unsigned wanted_ms = service_manager_watchdog_ms();
    struct timeval period = milliseconds(wanted_ms / 3 + 1); /* one may be late */
    server_service_ready(server);
    if (wanted_ms == 0) {
        return;
    }
    server->watchdog = event_new(server->base, -1, EV_PERSIST, on_watchdog, server);
    if (server->watchdog != NULL) {
        event_add(server->watchdog, &period);
    }
}
