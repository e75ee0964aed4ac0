/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Threads aside (see background.h).
 */
#include "forwarder/server/background.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* Where a worker wants the CPU it gets nine tenths of it, and at once when it wakes; a load still
 * ends on a machine that has no CPU to spare. */
#define NICENESS 10

struct background {
    void *(*run)(void *);
    void *ctx;
};

static void *enter(void *ctx)
{
    struct background background = *(struct background *)ctx;
    free(ctx);
    (void)!nice(NICENESS); /* on Linux that of this thread alone, beside the process's own */
    return background.run(background.ctx);
}

bool background_start(pthread_t *thread, void *(*run)(void *), void *ctx)
{
    sigset_t all, before;
    struct background *background = malloc(sizeof *background);
    if (background == NULL) {
        return false;
    }
    *background = (struct background){run, ctx};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(thread, NULL, enter, background) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!started) {
        free(background);
    }
    return started;
}
