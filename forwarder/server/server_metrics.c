/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Prometheus asks the main thread (metrics_listener.h), and gets what status gets, as metrics.
 */
#include "forwarder/server/metrics.h"
#include "forwarder/server/metrics_listener.h"
#include "forwarder/server/server_state.h"

static bool write_metrics(void *ctx, struct evbuffer *out)
{
    struct server *server = ctx;
    struct tally tally;
    struct status_view view;
    if (!server_view(server, &tally, &view)) {
        return false;
    }
    bool whole = metrics_write(&view, out);
    tally_fini(&tally);
    return whole;
}

bool server_start_metrics(struct server *server, char why[static WHY_MAX])
{
    const struct config_metrics *config = &server->config->metrics;
    if (!config->enabled) {
        return true;
    }
    server->metrics =
        metrics_listener_new(server->base, &config->address, write_metrics, server, why);
    return server->metrics != NULL;
}
