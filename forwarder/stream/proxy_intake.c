/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reading PROXY headers of connections (see proxy_intake.h).
 *
 *   waiting for the fixed part ──► for the rest, of the length it tells ──► handed over
 *        │                            │
 *        └────────────────────────────┴──► closed: not a header, too long, too late, or cut short
 */
#include "forwarder/stream/proxy_intake.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forwarder/client_quota.h"
#include "forwarder/counters.h"
#include "forwarder/generation/generation.h"
#include "forwarder/milliseconds.h"
#include "forwarder/published.h"
#include "forwarder/stream/stream_client.h"
#include "forwarder/true_client.h"
#include "forwarder/worker.h"

/* A connection that waits for its header. */
struct newcomer {
    struct proxy_intake *intake;
    struct stream_opening opening;
    struct event *readable;
    struct event *deadline;
    TAILQ_ENTRY(newcomer) waiting;
    size_t size; /* octets read */
    uint8_t bytes[PROXY_HEADER_MAX];
};

TAILQ_HEAD(newcomers, newcomer);

struct proxy_intake {
    struct worker *worker;
    proxy_intake_fn *on_client;
    void *ctx;
    const struct timeval *patience;
    struct newcomers waiting;
};

struct proxy_intake *proxy_intake_new(struct worker *worker, proxy_intake_fn *on_client, void *ctx)
{
    struct timeval patience = milliseconds(PROXY_INTAKE_MS);
    struct proxy_intake *intake = calloc(1, sizeof *intake);
    if (intake == NULL) {
        return NULL;
    }
    intake->worker = worker;
    intake->on_client = on_client;
    intake->ctx = ctx;
    TAILQ_INIT(&intake->waiting);
    intake->patience = event_base_init_common_timeout(worker->base, &patience);
    if (intake->patience == NULL) {
        free(intake);
        return NULL;
    }
    return intake;
}

/* All but the descriptor and its place in the quota. */
static void forget(struct newcomer *newcomer)
{
    TAILQ_REMOVE(&newcomer->intake->waiting, newcomer, waiting);
    if (newcomer->readable != NULL) {
        event_free(newcomer->readable);
    }
    if (newcomer->deadline != NULL) {
        event_free(newcomer->deadline);
    }
    free(newcomer);
}

static void close_opening(struct worker *worker, const struct stream_opening *opening)
{
    close(opening->descriptor);
    client_quota_release(worker->shared->quota, &opening->holder);
}

static void close_newcomer(struct newcomer *newcomer)
{
    struct stream_opening opening = newcomer->opening;
    struct worker *worker = newcomer->intake->worker;
    forget(newcomer);
    close_opening(worker, &opening);
}

static void refuse(struct newcomer *newcomer)
{
    counters_add(&newcomer->intake->worker->counters, COUNTER_PROXY_MALFORMED);
    close_newcomer(newcomer);
}

void proxy_intake_tell(const struct config_trust *trust, const struct proxy_header *header,
                       struct stream_opening *opening)
{
    struct query_client client = true_client_of_peer(&opening->peer);
    true_client_proxied(&client, header, &opening->ends);
    opening->unknown = query_client_is_unknown(&client);
    opening->holder = CLIENT_QUOTA_NOBODY;
    if (!opening->unknown && !true_client_speaks(trust, &client.address)) {
        opening->holder = client.address;
    }
}

/* The place in the quota goes over to the true client, who may have too many. */
static void hand_over(struct newcomer *newcomer, const struct proxy_header *header)
{
    struct proxy_intake *intake = newcomer->intake;
    struct worker *worker = intake->worker;
    struct stream_opening opening = newcomer->opening;
    struct address before = opening.holder;
    forget(newcomer);
    proxy_intake_tell(&worker->published->generation->config->trust, header, &opening);
    if (!client_quota_move(worker->shared->quota, &before, &opening.holder)) {
        opening.holder = before;
        counters_add(&worker->counters, COUNTER_TCP_REFUSED);
        close_opening(worker, &opening);
        return;
    }
    intake->on_client(intake->ctx, &opening);
}

/* Reads up to so many octets, no more: what follows is not ours. False: the connection is done. */
static bool read_up_to(struct newcomer *newcomer, size_t need)
{
    ssize_t size = recv(newcomer->opening.descriptor, newcomer->bytes + newcomer->size,
                        need - newcomer->size, MSG_DONTWAIT);
    if (size > 0) {
        newcomer->size += (size_t)size;
        return true;
    }
    return size < 0 && (errno == EAGAIN || errno == EINTR);
}

static void on_readable(evutil_socket_t descriptor, short what, void *ctx)
{
    struct newcomer *newcomer = ctx;
    struct proxy_header header;
    (void)descriptor;
    (void)what;
    size_t need = proxy_header_need((struct span){newcomer->bytes, newcomer->size});
    if (!read_up_to(newcomer, need)) {
        refuse(newcomer);
        return;
    }
    switch (proxy_header_decode((struct span){newcomer->bytes, newcomer->size}, &header)) {
    case PROXY_HEADER_WHOLE:
        hand_over(newcomer, &header);
        break;
    case PROXY_HEADER_SHORT:
        break;
    case PROXY_HEADER_BAD:
        refuse(newcomer);
        break;
    }
}

static void on_deadline(evutil_socket_t descriptor, short what, void *ctx)
{
    (void)descriptor;
    (void)what;
    refuse(ctx);
}

void proxy_intake_take(struct proxy_intake *intake, const struct stream_opening *opening)
{
    struct event_base *base = intake->worker->base;
    struct newcomer *newcomer = calloc(1, sizeof *newcomer);
    if (newcomer == NULL) {
        close_opening(intake->worker, opening);
        return;
    }
    newcomer->intake = intake;
    newcomer->opening = *opening;
    TAILQ_INSERT_TAIL(&intake->waiting, newcomer, waiting);
    newcomer->readable =
        event_new(base, opening->descriptor, EV_READ | EV_PERSIST, on_readable, newcomer);
    newcomer->deadline = evtimer_new(base, on_deadline, newcomer);
    if (newcomer->readable == NULL || newcomer->deadline == NULL ||
        event_add(newcomer->readable, NULL) != 0 ||
        event_add(newcomer->deadline, intake->patience) != 0) {
        close_newcomer(newcomer);
    }
}

void proxy_intake_stop(struct proxy_intake *intake)
{
    while (!TAILQ_EMPTY(&intake->waiting)) {
        close_newcomer(TAILQ_FIRST(&intake->waiting));
    }
}

void proxy_intake_free(struct proxy_intake *intake)
{
    if (intake == NULL) {
        return;
    }
    proxy_intake_stop(intake);
    free(intake);
}
