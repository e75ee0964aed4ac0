/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The end of the main thread: waiting for what is still being written. The record and the counts
 * are worth waiting for: a slow disk has its time, a database that somebody else has locked is
 * tried again, and log and service manager are told for what the daemon waits, until it is asked to
 * end once more. What is lost then is told with its amount. What is kept of a load is not waited
 * for as long, and a load not at all: what lies under state is whole at any moment.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "forwarder/monotonic.h"
#include "forwarder/server/auditor.h"
#include "forwarder/server/block_counts.h"
#include "forwarder/server/keeper.h"
#include "forwarder/server/server_state.h"
#include "forwarder/server/service_manager.h"

#define RECORD_MS 60000 /* for the record and the counts */
#define KEEP_MS 5000    /* for the last good versions */
#define QUIET_MS 1000   /* so long nothing is said */
#define TICK_MS 250

/* What the service manager allows from each word on: also for what is waited for after the record.
 */
#define GRACE_S 20
#define STATUS_MAX 128

struct left {
    uint64_t events; /* of the record, that are not written yet */
    uint64_t lost;   /* its records that could not be written */
    uint64_t blocks; /* counted, and not stored */
};

static struct left look(const struct server *server)
{
    struct audit_writer_state audit;
    auditor_state(server->auditor, &audit);
    return (struct left){auditor_waiting(server->auditor), audit.lost,
                         block_counts_left(server->blocks)};
}

/* SIGTERM and SIGINT wait from now on, for was_asked_again. No other thread takes them: those that
 * are left were started without (background.c). */
static sigset_t hold_ends(void)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &ends, NULL);
    return ends;
}

/* To end, for the second time; if not yet, waits a little for that. */
static bool was_asked_again(const sigset_t *ends)
{
    const struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};
    return sigtimedwait(ends, NULL, &tick) > 0;
}

static void tell_service_manager(const struct server *server)
{
    char status[STATUS_MAX];
    struct left left = look(server);
    snprintf(status, sizeof status,
             "Waiting for the disk; events to be recorded: %llu, blocks to be stored: %llu",
             (unsigned long long)left.events, (unsigned long long)left.blocks);
    service_manager_waiting(status, GRACE_S);
}

/* Is all written that can be, or is known to be lost? */
static bool is_recorded(struct server *server, unsigned timeout_ms)
{
    return auditor_finish(server->auditor, timeout_ms) &&
           block_counts_finish(server->blocks, timeout_ms) &&
           !block_counts_retry(server->blocks, server_now(server));
}

static bool await_record(struct server *server)
{
    const sigset_t ends = hold_ends();
    const int64_t deadline = monotonic_ms() + RECORD_MS;
    tell_service_manager(server);
    bool recorded = is_recorded(server, QUIET_MS);
    if (!recorded) {
        struct left left = look(server);
        log_event(LOG_LEVEL_WARNING, "server", "waiting for the disk; a signal more ends at once",
                  "events=%llu blocks=%llu seconds=%d", (unsigned long long)left.events,
                  (unsigned long long)left.blocks, RECORD_MS / 1000);
    }
    while (!recorded && monotonic_ms() < deadline) {
        if (was_asked_again(&ends)) {
            break;
        }
        tell_service_manager(server);
        recorded = is_recorded(server, 0);
    }
    return recorded;
}

static void tell_loss(const struct server *server)
{
    struct left left = look(server);
    if (left.events > 0 || left.lost > 0) {
        log_event(LOG_LEVEL_ERROR, "audit", "the end of the record is lost",
                  "events=%llu records=%llu", (unsigned long long)left.events,
                  (unsigned long long)left.lost);
    }
    if (left.blocks > 0) {
        log_event(LOG_LEVEL_ERROR, "blocks", "counts are lost", "blocks=%llu",
                  (unsigned long long)left.blocks);
    }
}

bool server_all_written(struct server *server)
{
    if (server->auditor != NULL && server->blocks != NULL) {
        bool recorded = await_record(server);
        tell_loss(server);
        if (!recorded) {
            return false;
        }
    }
    return server_stop_tap(server) && (server->loader == NULL || !loader_busy(server->loader)) &&
           (server->keeper == NULL || keeper_finish(server->keeper, KEEP_MS));
}
