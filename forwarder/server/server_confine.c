/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The main thread gives up what it will not need, once forwarder.conf has been read and before
 * anything else is: who it was, what it was able to do, and which system calls it may make.
 */
#include <stdio.h>
#include <sys/resource.h>

#include "forwarder/descriptors.h"
#include "forwarder/server/access_check.h"
#include "forwarder/server/listen_plan.h"
#include "forwarder/server/privilege.h"
#include "forwarder/server/sandbox.h"
#include "forwarder/server/server_state.h"

/* Sockets to upstreams, an event base, eventfds, tickets: what a worker takes beside its listeners,
 * roundly. */
#define WORKER_DESCRIPTORS 32

/* A limit that is too low shows only on the worst day: clients that are not accepted. */
static void check_descriptors(const struct server *server)
{
    const struct config *config = server->config;
    struct rlimit limit;
    size_t wanted = config->limits.tcp_connections + DESCRIPTORS_SPARE +
                    listen_plan_workers(config) * (config->listen_count + WORKER_DESCRIPTORS);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
        log_event(LOG_LEVEL_WARNING, "server", "few descriptors",
                  "limit=%llu wanted=%zu key=limits.tcp-connections",
                  (unsigned long long)limit.rlim_cur, wanted);
    }
}

static bool check_access(const struct config *config, char why[static WHY_MAX])
{
    struct problem_list problems;
    problem_list_init(&problems);
    access_check(config, &problems);
    server_log_problems(&problems);
    bool may = problems.errors == 0;
    problem_list_fini(&problems);
    snprintf(why, WHY_MAX, "user %s may not open everything that is needed", config->user);
    return may;
}

static void enter_sandbox(void)
{
    char why[WHY_MAX], reason[LOG_VALUE_MAX];
    switch (sandbox_enter(why)) {
    case SANDBOX_ENTERED:
        break;
    case SANDBOX_NONE:
        log_event(LOG_LEVEL_WARNING, "server", "no sandbox", "reason=%s",
                  log_quote(why, reason, sizeof reason));
        break;
    }
}

bool server_confine(const struct server *server, char why[static WHY_MAX])
{
    const struct config *config = server->config;
    check_descriptors(server);
    if (!privilege_drop(config, why)) {
        return server_refused(server, "user", why);
    }
    if (privilege_is_root()) {
        log_event(LOG_LEVEL_WARNING, "server", "running as root", "key=user");
    } else if (config->user != NULL && !check_access(config, why)) {
        return false;
    }
    if (config->sandbox) {
        enter_sandbox();
    }
    return true;
}
