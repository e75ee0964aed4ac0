/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Listeners as operators see them (see listener_view.h).
 */
#include "forwarder/server/listener_view.h"

#include <stdio.h>
#include <stdlib.h>

#include "forwarder/config/config.h"
#include "forwarder/config/config_address.h"
#include "forwarder/config/config_listen.h"
#include "forwarder/log.h"
#include "forwarder/socket_state.h"
#include "forwarder/worker.h"

static bool same(const struct config_listen *a, const struct config_listen *b)
{
    return a->transport == b->transport && config_address_equal(&a->address, &b->address);
}

/* The view of the listener, among so many or behind them. */
static struct listener_view *find(struct listener_view *views, size_t *count,
                                  const struct config_listen *listen)
{
    for (size_t i = 0; i < *count; i++) {
        if (same(views[i].listen, listen)) {
            return &views[i];
        }
    }
    views[*count] = (struct listener_view){.listen = listen};
    return &views[(*count)++];
}

static void add(struct listener_view *view, const struct worker_socket *socket)
{
    struct socket_state state = socket_state_read(socket->descriptor);
    view->drops += state.drops;
    view->waiting += state.waiting;
    if (config_listen_is_datagrams(socket->listen) &&
        (view->receive_buffer == 0 || state.receive_buffer < view->receive_buffer)) {
        view->receive_buffer = state.receive_buffer;
    }
}

static size_t socket_count(const struct worker *worker)
{
    return worker->sockets == NULL ? 0 : worker->sockets->count;
}

static struct listener_view *view_sockets(struct worker *const *workers, size_t worker_count,
                                          size_t *count)
{
    size_t sockets = 1;
    *count = 0;
    for (size_t i = 0; i < worker_count; i++) {
        sockets += socket_count(workers[i]);
    }
    struct listener_view *views = calloc(sockets, sizeof *views);
    for (size_t i = 0; views != NULL && i < worker_count; i++) {
        for (size_t j = 0; j < socket_count(workers[i]); j++) {
            const struct worker_socket *socket = &workers[i]->sockets->items[j];
            add(find(views, count, socket->listen), socket);
        }
    }
    return views;
}

struct listener_view *listener_view_all(struct worker *const *workers, size_t worker_count,
                                        const struct listener_view_left *left, size_t *count)
{
    struct listener_view *views = view_sockets(workers, worker_count, count);
    for (size_t i = 0; left != NULL && i < *count; i++) {
        for (size_t j = 0; j < left->count; j++) {
            if (same(views[i].listen, left->views[j].listen)) {
                views[i].drops += left->views[j].drops;
            }
        }
    }
    return views;
}

/* Room for all listeners there are; NULL when memory is out. */
static struct listener_view *widen(struct listener_view_left *left, size_t more)
{
    struct listener_view *views =
        realloc(left->views, (left->count + more + 1) * sizeof *left->views);
    if (views != NULL) {
        left->views = views;
    }
    return views;
}

void listener_view_leaving(struct worker *const *workers, size_t worker_count,
                           struct listener_view_left *left)
{
    size_t count;
    struct listener_view *views = view_sockets(workers, worker_count, &count);
    if (views != NULL && widen(left, count) != NULL) {
        for (size_t i = 0; i < count; i++) {
            find(left->views, &left->count, views[i].listen)->drops += views[i].drops;
        }
    }
    free(views);
}

/* What has stayed was not dropped by those that were left. */
void listener_view_has_left(struct worker *const *workers, size_t worker_count,
                            struct listener_view_left *left)
{
    size_t count;
    struct listener_view *views = view_sockets(workers, worker_count, &count);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < left->count; j++) {
            if (same(left->views[j].listen, views[i].listen)) {
                uint64_t drops = left->views[j].drops;
                left->views[j].drops -= views[i].drops < drops ? views[i].drops : drops;
            }
        }
    }
    free(views);
}

void listener_view_left_fini(struct listener_view_left *left)
{
    free(left->views);
    *left = (struct listener_view_left){0};
}

bool listener_view_is_short(const struct listener_view *view, size_t asked,
                            char why[static WHY_MAX])
{
    char address[CONFIG_ADDRESS_TEXT_MAX];
    if (!config_listen_is_datagrams(view->listen) || view->receive_buffer >= asked) {
        return false;
    }
    snprintf(why, WHY_MAX,
             "limits.receive-buffer: the kernel gave %s (%s) %zu octets instead of %zu; raise "
             "net.core.rmem_max, and start again",
             config_address_format(&view->listen->address, address),
             config_listen_transport(view->listen), view->receive_buffer, asked);
    return true;
}

void listener_view_log(struct worker *const *workers, size_t worker_count, size_t asked)
{
    char why[WHY_MAX];
    char value[LOG_VALUE_MAX];
    size_t count;
    struct listener_view *views = listener_view_all(workers, worker_count, NULL, &count);
    for (size_t i = 0; i < count; i++) {
        if (listener_view_is_short(&views[i], asked, why)) {
            log_event(LOG_LEVEL_WARNING, "server", "receive buffer is short", "why=%s",
                      log_quote(why, value, sizeof value));
        }
    }
    free(views);
}
