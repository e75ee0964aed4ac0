/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Keeping aside (see keeper.h). The thread touches running, failed and why, which nobody else does
 * while it runs.
 */
#include "forwarder/server/keeper.h"

#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "forwarder/generation/generation_keep.h"
#include "forwarder/monotonic.h"
#include "forwarder/server/background.h"

struct waiting {
    struct generation_keep *keep;
    TAILQ_ENTRY(waiting) link;
};

TAILQ_HEAD(waiting_list, waiting);

struct keeper {
    keeper_done_fn *done;
    void *ctx;
    struct waiting_list waiting; /* the newest last */

    int finished; /* eventfd, rung by the thread */
    struct event *finished_event;
    bool busy;
    pthread_t thread;
    struct generation_keep *running;
    bool failed;
    char why[WHY_MAX];
};

static void *run(void *ctx)
{
    struct keeper *keeper = ctx;
    uint64_t one = 1;
    keeper->failed = !generation_keep_write(keeper->running, keeper->why);
    (void)!write(keeper->finished, &one, sizeof one);
    return NULL;
}

/* Takes the oldest out of those that wait; NULL: none does. */
static struct generation_keep *take_first(struct keeper *keeper)
{
    struct waiting *first = TAILQ_FIRST(&keeper->waiting);
    if (first == NULL) {
        return NULL;
    }
    struct generation_keep *keep = first->keep;
    TAILQ_REMOVE(&keeper->waiting, first, link);
    free(first);
    return keep;
}

static void tell(struct keeper *keeper, const struct generation_keep *keep, const char *why)
{
    keeper->done(keeper->ctx, generation_keep_number(keep), why);
}

static void start_next(struct keeper *keeper)
{
    while (!keeper->busy && (keeper->running = take_first(keeper)) != NULL) {
        keeper->busy = background_start(&keeper->thread, run, keeper);
        if (!keeper->busy) {
            tell(keeper, keeper->running, "cannot start a thread to keep last good versions in");
            generation_keep_free(keeper->running);
        }
    }
}

static void on_finished(evutil_socket_t descriptor, short what, void *ctx)
{
    struct keeper *keeper = ctx;
    uint64_t count;
    (void)what;
    (void)!read(descriptor, &count, sizeof count);
    pthread_join(keeper->thread, NULL);
    keeper->busy = false;
    tell(keeper, keeper->running, keeper->failed ? keeper->why : NULL);
    generation_keep_free(keeper->running);
    start_next(keeper);
}

struct keeper *keeper_new(struct event_base *base, keeper_done_fn *done, void *ctx,
                          char why[static WHY_MAX])
{
    struct keeper *keeper = calloc(1, sizeof *keeper);
    snprintf(why, WHY_MAX, "out of memory or descriptors");
    if (keeper == NULL) {
        return NULL;
    }
    keeper->done = done;
    keeper->ctx = ctx;
    TAILQ_INIT(&keeper->waiting);
    keeper->finished = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    keeper->finished_event =
        event_new(base, keeper->finished, EV_READ | EV_PERSIST, on_finished, keeper);
    if (keeper->finished < 0 || keeper->finished_event == NULL ||
        event_add(keeper->finished_event, NULL) != 0) {
        keeper_free(keeper);
        return NULL;
    }
    return keeper;
}

/* Takes out of those that wait what this one has newer. */
static void supersede(struct keeper *keeper, const struct generation_keep *newer)
{
    struct waiting *item = TAILQ_FIRST(&keeper->waiting);
    while (item != NULL) {
        struct waiting *next = TAILQ_NEXT(item, link);
        if (generation_keep_supersede(item->keep, newer)) {
            TAILQ_REMOVE(&keeper->waiting, item, link);
            generation_keep_free(item->keep);
            free(item);
        }
        item = next;
    }
}

void keeper_add(struct keeper *keeper, struct generation_keep *keep)
{
    struct waiting *item = calloc(1, sizeof *item);
    if (item == NULL) {
        tell(keeper, keep, "no memory to keep the last good versions");
        generation_keep_free(keep);
        return;
    }
    supersede(keeper, keep);
    item->keep = keep;
    TAILQ_INSERT_TAIL(&keeper->waiting, item, link);
    start_next(keeper);
}

bool keeper_finish(struct keeper *keeper, unsigned timeout_ms)
{
    int64_t deadline = monotonic_ms() + timeout_ms;
    while (keeper->busy) {
        struct pollfd finished = {.fd = keeper->finished, .events = POLLIN};
        int64_t left = deadline - monotonic_ms();
        int ready = poll(&finished, 1, left > 0 ? (int)left : 0);
        if (ready > 0) {
            on_finished(keeper->finished, EV_READ, keeper);
        } else if (ready == 0) {
            return false;
        }
    }
    return true;
}

void keeper_forsake(struct keeper *keeper)
{
    if (keeper != NULL && keeper->busy) {
        pthread_detach(keeper->thread);
    }
}

void keeper_free(struct keeper *keeper)
{
    if (keeper == NULL) {
        return;
    }
    if (keeper->busy) {
        pthread_join(keeper->thread, NULL);
        generation_keep_free(keeper->running);
    }
    for (struct generation_keep *keep; (keep = take_first(keeper)) != NULL;) {
        generation_keep_free(keep);
    }
    if (keeper->finished_event != NULL) {
        event_free(keeper->finished_event);
    }
    if (keeper->finished >= 0) {
        close(keeper->finished);
    }
    free(keeper);
}
