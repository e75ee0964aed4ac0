/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A thread and its queue (see errands.h). The lock is held to touch the queue, never while an
 * errand runs.
 */
#include "forwarder/server/errands.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "forwarder/server/background.h"

STAILQ_HEAD(errand_queue, errand);

struct errands {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* something was added or done, or the end was asked for */
    struct errand_queue queue;
    size_t waiting; /* the one that runs included */
    size_t most;
    bool ending;
    bool started;
};

static void *work(void *ctx)
{
    struct errands *errands = ctx;
    pthread_mutex_lock(&errands->lock);
    for (;;) {
        struct errand *errand = STAILQ_FIRST(&errands->queue);
        if (errand == NULL && errands->ending) {
            break;
        }
        if (errand == NULL) {
            pthread_cond_wait(&errands->changed, &errands->lock);
            continue;
        }
        STAILQ_REMOVE_HEAD(&errands->queue, link);
        pthread_mutex_unlock(&errands->lock);
        errand->run(errand);
        pthread_mutex_lock(&errands->lock);
        errands->waiting--;
        pthread_cond_broadcast(&errands->changed);
    }
    pthread_mutex_unlock(&errands->lock);
    return NULL;
}

struct errands *errands_new(size_t most, char why[static WHY_MAX])
{
    pthread_condattr_t monotonic;
    struct errands *errands = calloc(1, sizeof *errands);
    snprintf(why, WHY_MAX, "out of memory or threads");
    if (errands == NULL) {
        return NULL;
    }
    errands->most = most;
    STAILQ_INIT(&errands->queue);
    pthread_mutex_init(&errands->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&errands->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    errands->started = background_start(&errands->thread, work, errands);
    if (!errands->started) {
        errands_free(errands);
        return NULL;
    }
    return errands;
}

bool errands_add(struct errands *errands, struct errand *errand)
{
    pthread_mutex_lock(&errands->lock);
    bool room = errands->waiting < errands->most;
    if (room) {
        STAILQ_INSERT_TAIL(&errands->queue, errand, link);
        errands->waiting++;
        pthread_cond_broadcast(&errands->changed);
    }
    pthread_mutex_unlock(&errands->lock);
    return room;
}

size_t errands_waiting(struct errands *errands)
{
    pthread_mutex_lock(&errands->lock);
    size_t waiting = errands->waiting;
    pthread_mutex_unlock(&errands->lock);
    return waiting;
}

bool errands_finish(struct errands *errands, unsigned timeout_ms)
{
    struct timespec deadline;
    bool in_time = true;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += timeout_ms / 1000;
    deadline.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&errands->lock);
    while (in_time && errands->waiting > 0) {
        in_time = pthread_cond_timedwait(&errands->changed, &errands->lock, &deadline) == 0;
    }
    bool done = errands->waiting == 0;
    pthread_mutex_unlock(&errands->lock);
    return done;
}

void errands_free(struct errands *errands)
{
    if (errands == NULL) {
        return;
    }
    if (errands->started) {
        pthread_mutex_lock(&errands->lock);
        errands->ending = true;
        pthread_cond_broadcast(&errands->changed);
        pthread_mutex_unlock(&errands->lock);
        pthread_join(errands->thread, NULL);
    }
    pthread_cond_destroy(&errands->changed);
    pthread_mutex_destroy(&errands->lock);
    free(errands);
}
