/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Listeners in numbers (see metrics_listeners.h).
 */
#include "forwarder/server/metrics_listeners.h"

#include <stdlib.h>

#include "forwarder/config/config_address.h"
#include "forwarder/config/config_listen.h"
#include "forwarder/server/listener_view.h"
#include "forwarder/server/metrics_text.h"
#include "forwarder/server/status.h"

static uint64_t drops(const struct listener_view *view)
{
    return view->drops;
}

static uint64_t receive_buffer(const struct listener_view *view)
{
    return view->receive_buffer;
}

static uint64_t waiting(const struct listener_view *view)
{
    return view->waiting;
}

static const struct {
    enum metrics_type type;
    bool datagrams; /* means something for these */
    bool streams;
    const char *name;
    const char *help;
    uint64_t (*value)(const struct listener_view *view);
} families[] = {
    {METRICS_COUNTER, true, true, "bailiwick_receive_drops_total",
     "Datagrams, and connections not accepted yet, that the kernel dropped: too many waited.",
     drops},
    {METRICS_GAUGE, true, false, "bailiwick_receive_buffer_bytes",
     "What may wait at a socket of the listener, at the one that has least.", receive_buffer},
    {METRICS_GAUGE, false, true, "bailiwick_accept_waiting",
     "Connections that wait to be accepted.", waiting},
};

static void write_listener(struct metrics_text *text, const struct listener_view *view,
                           uint64_t value)
{
    char address[CONFIG_ADDRESS_TEXT_MAX];
    config_address_format(&view->listen->address, address);
    metrics_text_count(
        text,
        METRICS_LABELS({"listener", address}, {"transport", config_listen_transport(view->listen)}),
        value);
}

void metrics_listeners_write(struct metrics_text *text, const struct status_view *view)
{
    size_t count;
    struct listener_view *views =
        listener_view_all(view->workers, view->worker_count, view->left, &count);
    if (views == NULL) {
        text->whole = false;
        return;
    }
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++) {
        metrics_text_family(text, families[f].type, families[f].name, families[f].help);
        for (size_t i = 0; i < count; i++) {
            bool datagrams = config_listen_is_datagrams(views[i].listen);
            if (datagrams ? families[f].datagrams : families[f].streams) {
                write_listener(text, &views[i], families[f].value(&views[i]));
            }
        }
    }
    free(views);
}
