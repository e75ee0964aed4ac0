/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * c-ares on libevent (see ares_loop.h).
 */
#include "forwarder/upstream/ares_loop.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

/* A descriptor that c-ares watches. */
struct watch {
    struct ares_loop *loop;
    ares_socket_t descriptor;
    struct event *event;
    LIST_ENTRY(watch) link;
};

struct ares_loop {
    struct event_base *base;
    ares_channel channel;
    struct event *timer;
    LIST_HEAD(, watch) watches;
};

/* The timer follows what c-ares says now: after each event and each new lookup. */
static void set_timer(struct ares_loop *loop)
{
    struct timeval delay;
    if (ares_timeout(loop->channel, NULL, &delay) != NULL) {
        event_add(loop->timer, &delay);
    } else {
        event_del(loop->timer);
    }
}

static void on_timer(evutil_socket_t descriptor, short what, void *ctx)
{
    struct ares_loop *loop = ctx;
    (void)descriptor;
    (void)what;
    ares_process_fd(loop->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer(loop);
}

/* c-ares may close this descriptor within the call, and free the watch with it. */
static void on_descriptor(evutil_socket_t descriptor, short what, void *ctx)
{
    struct watch *watch = ctx;
    struct ares_loop *loop = watch->loop;
    ares_process_fd(loop->channel, (what & EV_READ) != 0 ? descriptor : ARES_SOCKET_BAD,
                    (what & EV_WRITE) != 0 ? descriptor : ARES_SOCKET_BAD);
    set_timer(loop);
}

static struct watch *find_watch(struct ares_loop *loop, ares_socket_t descriptor)
{
    struct watch *watch;
    LIST_FOREACH(watch, &loop->watches, link)
    {
        if (watch->descriptor == descriptor) {
            return watch;
        }
    }
    return NULL;
}

static void watch_free(struct watch *watch)
{
    LIST_REMOVE(watch, link);
    if (watch->event != NULL) {
        event_free(watch->event);
    }
    free(watch);
}

static void on_state(void *ctx, ares_socket_t descriptor, int readable, int writable)
{
    struct ares_loop *loop = ctx;
    struct watch *watch = find_watch(loop, descriptor);
    short what = (short)(EV_PERSIST | (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));
    if (watch != NULL) {
        watch_free(watch);
    }
    if (!readable && !writable) {
        return;
    }
    watch = calloc(1, sizeof *watch);
    if (watch == NULL) {
        return; /* the lookup runs into its time-out */
    }
    watch->loop = loop;
    watch->descriptor = descriptor;
    watch->event = event_new(loop->base, descriptor, what, on_descriptor, watch);
    LIST_INSERT_HEAD(&loop->watches, watch, link);
    if (watch->event != NULL) {
        event_add(watch->event, NULL);
    }
}

struct ares_loop *ares_loop_new(struct event_base *base, const struct ares_loop_options *options,
                                char why[static WHY_MAX])
{
    struct ares_options ares = {
        .flags = options->flags,
        .timeout = (int)options->timeout_ms,
        .tries = (int)options->tries,
        .sock_state_cb = on_state,
    };
    struct ares_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL) {
        snprintf(why, WHY_MAX, "out of memory");
        return NULL;
    }
    loop->base = base;
    LIST_INIT(&loop->watches);
    ares.sock_state_cb_data = loop;
    int set = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
#ifdef ARES_OPT_QUERY_CACHE
    set |= ARES_OPT_QUERY_CACHE; /* of no size: a probe must reach its server */
#endif
    loop->timer = evtimer_new(base, on_timer, loop);
    int error = loop->timer == NULL ? ARES_ENOMEM : ares_init_options(&loop->channel, &ares, set);
    if (error == ARES_SUCCESS && options->servers != NULL) {
        error = ares_set_servers_ports_csv(loop->channel, options->servers);
    }
    if (error != ARES_SUCCESS) {
        snprintf(why, WHY_MAX, "c-ares: %s", ares_strerror(error));
        ares_loop_free(loop);
        return NULL;
    }
    return loop;
}

void ares_loop_free(struct ares_loop *loop)
{
    if (loop == NULL) {
        return;
    }
    if (loop->channel != NULL) {
        ares_destroy(loop->channel);
    }
    while (!LIST_EMPTY(&loop->watches)) {
        watch_free(LIST_FIRST(&loop->watches));
    }
    if (loop->timer != NULL) {
        event_free(loop->timer);
    }
    free(loop);
}

ares_channel ares_loop_channel(struct ares_loop *loop)
{
    return loop->channel;
}

void ares_loop_started(struct ares_loop *loop)
{
    set_timer(loop);
}
