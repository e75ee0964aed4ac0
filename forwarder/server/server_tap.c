/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dnstap in the main thread: made before the workers, ended after them.
 */
#include <stdio.h>

#include "forwarder/server/background.h"
#include "forwarder/server/server_state.h"
#include "forwarder/tap/tap.h"

/* How long an end waits for what is still to be written, at most. */
#define TAP_TIMEOUT_MS 5000

bool server_start_tap(struct server *server, char why[static WHY_MAX])
{
    const struct config_dnstap *config = &server->config->dnstap;
    if (config->socket == NULL && config->file == NULL) {
        return true;
    }
    server->shared.tap = tap_new(config, why);
    if (server->shared.tap == NULL) {
        return false;
    }
    server->taps = background_start(&server->tap_thread, tap_run, server->shared.tap);
    if (!server->taps) {
        snprintf(why, WHY_MAX, "dnstap: cannot start a thread");
    }
    return server->taps;
}

bool server_widen_tap(struct server *server, size_t workers)
{
    return server->shared.tap == NULL || tap_widen(server->shared.tap, (unsigned)workers);
}

void server_reopen_tap(struct server *server)
{
    if (server->taps) {
        tap_reopen(server->shared.tap);
    }
}

bool server_stop_tap(struct server *server)
{
    if (!server->taps) {
        return true;
    }
    tap_stop(server->shared.tap);
    if (!tap_await_end(server->shared.tap, TAP_TIMEOUT_MS)) {
        return false;
    }
    pthread_join(server->tap_thread, NULL);
    server->taps = false;
    return true;
}
