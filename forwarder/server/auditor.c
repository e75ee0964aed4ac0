/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Events on their way to the thread that writes them (see auditor.h). The writer is the thread's; a
 * copy of its state lies behind a lock that nobody holds for long.
 */
#include "forwarder/server/auditor.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forwarder/log.h"
#include "forwarder/server/errands.h"

#define WAITING_MAX 256      /* events; one may hold all orders of a generation */
#define FILE_MAX (16U << 20) /* octets of a file, behind what was in force when it began */

struct auditor {
    int state_lock; /* -1: it cannot be had */
    struct errands *errands;
    struct audit_writer *writer; /* the thread's */
    uint64_t dropped;            /* events that found no room */
    int64_t dropped_since;
    pthread_mutex_t lock;
    struct audit_writer_state state; /* a copy, under the lock */
};

struct audit_errand {
    struct errand errand; /* the first member */
    struct auditor *auditor;
    bool retry; /* there is no event */
    int64_t now;
    struct audit_event event;
};

/* Tells when writing begins to fail, and when it works again. */
static void tell_change(const struct audit_writer_state *before,
                        const struct audit_writer_state *after)
{
    char reason[LOG_VALUE_MAX];
    if (after->problem[0] != '\0' && strcmp(before->problem, after->problem) != 0) {
        log_event(LOG_LEVEL_ERROR, "audit", "cannot be written", "reason=%s",
                  log_quote(after->problem, reason, sizeof reason));
    }
    if (after->gaps > before->gaps) {
        log_event(LOG_LEVEL_WARNING, "audit", "gap recorded", "seq=%llu",
                  (unsigned long long)after->head.seq);
    }
    if (after->faults > before->faults) {
        log_event(LOG_LEVEL_ERROR, "audit", "the record is damaged, see bailiwick audit verify",
                  "faults=%zu", after->faults);
    }
}

static void run(struct errand *errand)
{
    struct audit_errand *self = (struct audit_errand *)errand;
    struct auditor *auditor = self->auditor;
    audit_writer_write(auditor->writer, self->retry ? NULL : &self->event, self->now);
    const struct audit_writer_state *state = audit_writer_state(auditor->writer);
    tell_change(&auditor->state, state); /* which nobody else changes */
    pthread_mutex_lock(&auditor->lock);
    auditor->state = *state;
    pthread_mutex_unlock(&auditor->lock);
    audit_event_fini(&self->event);
    free(self);
}

/* Two daemons that write into one record would make it tell what is true of neither. A folder that
 * is not there and cannot be made holds no record. It is not the folder that is locked: whoever may
 * look into it could do that, and keep a daemon from starting. */
static bool take_state(struct auditor *auditor, const char *state, char why[static WHY_MAX])
{
    char path[4096];
    (void)mkdir(state, 0750);
    snprintf(path, sizeof path, "%s/lock", state);
    auditor->state_lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (auditor->state_lock >= 0 && flock(auditor->state_lock, LOCK_EX | LOCK_NB) != 0 &&
        errno == EWOULDBLOCK) {
        snprintf(why, WHY_MAX, "%.200s: another bailiwickd keeps its state there", state);
        return false;
    }
    return true;
}

struct auditor *auditor_new(const char *state, char why[static WHY_MAX])
{
    char folder[4096];
    struct audit_writer_setup setup = {.folder = folder, .file_max = FILE_MAX};
    struct auditor *auditor = calloc(1, sizeof *auditor);
    snprintf(why, WHY_MAX, "out of memory");
    if (auditor == NULL) {
        return NULL;
    }
    snprintf(folder, sizeof folder, "%s/audit", state);
    pthread_mutex_init(&auditor->lock, NULL);
    if (!take_state(auditor, state, why)) {
        auditor_free(auditor);
        return NULL;
    }
    auditor->writer = audit_writer_new(&setup);
    auditor->errands = auditor->writer == NULL ? NULL : errands_new(WAITING_MAX, why);
    if (auditor->errands == NULL) {
        auditor_free(auditor);
        return NULL;
    }
    return auditor;
}

static void drop(struct auditor *auditor, int64_t now)
{
    if (auditor->dropped++ == 0) {
        auditor->dropped_since = now;
    }
}

static bool add(struct auditor *auditor, const struct audit_event *event, int64_t now)
{
    struct audit_errand *errand = calloc(1, sizeof *errand);
    if (errand == NULL) {
        return false;
    }
    errand->errand.run = run;
    errand->auditor = auditor;
    errand->now = now;
    errand->retry = event == NULL;
    if (event != NULL) {
        errand->event = *event;
        errand->event.dropped = auditor->dropped;
        errand->event.dropped_since = auditor->dropped_since;
    }
    if (!errands_add(auditor->errands, &errand->errand)) {
        free(errand);
        return false;
    }
    auditor->dropped = event == NULL ? auditor->dropped : 0;
    return true;
}

void auditor_put(struct auditor *auditor, struct audit_event *event)
{
    if ((event->members == NULL && event->facts == NULL) || !add(auditor, event, event->time)) {
        audit_event_fini(event);
        drop(auditor, event->time);
    }
}

void auditor_tell(struct auditor *auditor, int64_t now, char *members)
{
    struct audit_event event = {.time = now, .members = members};
    auditor_put(auditor, &event);
}

void auditor_retry(struct auditor *auditor, int64_t now)
{
    struct audit_writer_state state;
    auditor_state(auditor, &state);
    if (state.since != 0) {
        (void)add(auditor, NULL, now); /* without room there is an event to come */
    }
}

void auditor_state(struct auditor *auditor, struct audit_writer_state *out)
{
    pthread_mutex_lock(&auditor->lock);
    *out = auditor->state;
    pthread_mutex_unlock(&auditor->lock);
}

uint64_t auditor_waiting(const struct auditor *auditor)
{
    return errands_waiting(auditor->errands) + auditor->dropped;
}

bool auditor_finish(struct auditor *auditor, unsigned timeout_ms)
{
    return errands_finish(auditor->errands, timeout_ms);
}

void auditor_free(struct auditor *auditor)
{
    if (auditor == NULL) {
        return;
    }
    errands_free(auditor->errands);
    audit_writer_free(auditor->writer);
    if (auditor->state_lock >= 0) {
        close(auditor->state_lock);
    }
    pthread_mutex_destroy(&auditor->lock);
    free(auditor);
}
