/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Zone transfers of a client's connection (see stream_transfers.h).
 */
#include "forwarder/stream/stream_transfers.h"

#include "forwarder/descriptors.h"
#include "forwarder/dispatch.h"
#include "forwarder/stream/stream_protocol.h"
#include "forwarder/unread.h"
#include "forwarder/upstream/transfer.h"
#include "forwarder/worker.h"

static void free_transfer(struct worker *worker, struct transfer *transfer)
{
    struct published *published = transfer_mark(transfer)->published;
    transfer_free(transfer);
    if (published != NULL) {
        worker_release(worker, published);
    }
}

/* Where the answers to a running transfer return to. */
static struct stream_transfer *find(struct stream_transfers *transfers,
                                    const struct transfer *transfer)
{
    struct stream_transfer *at = transfers->running;
    while (at->transfer != transfer) {
        at++;
    }
    return at;
}

/* However many messages it has, a transfer is one answer. */
static void count_answer(struct worker *worker, struct stream_transfer *running,
                         struct span message)
{
    if (!running->answered) {
        counters_answered(&worker->counters, running->origin.transport, message);
    }
    running->answered = true;
}

/* A transfer's messages may be as many as they like: it is paused while the client does not read,
 * and never runs into stream-output by itself, however long the message that made it pause. */
static bool on_message(void *ctx, struct transfer *transfer, struct span message)
{
    struct stream_transfers *transfers = ctx;
    struct stream_client *client = transfers->client;
    struct worker *worker = stream_client_worker(client);
    struct stream_transfer *running = find(transfers, transfer);
    const struct origin_stream *origin = &running->origin;
    uint8_t out[BLOCK_ANSWER_MAX];
    size_t size = 0;
    switch (dispatch_transfer(worker, running, message, out, &size)) {
    case QUERY_FORWARD:
        count_answer(worker, running, message);
        stream_client_send_unlimited(client, origin, message);
        break;
    case QUERY_ANSWER:
    case QUERY_CNAME:
        count_answer(worker, running, (struct span){out, size});
        stream_client_send(client, origin, (struct span){out, size});
        return false;
    case QUERY_DROP:
        return false;
    }
    if (stream_client_is_doomed(client) ||
        unread_is_much(stream_client_unread(client),
                       worker->shared->config->limits.stream_output)) {
        transfer_pause(transfer, true);
    }
    return true;
}

/* Upstream's end of a transfer is the client's too: it must not take a part for the whole. */
static void on_end(void *ctx, struct transfer *transfer, enum transfer_end end)
{
    struct stream_transfers *transfers = ctx;
    struct stream_client *client = transfers->client;
    struct worker *worker = stream_client_worker(client);
    struct query_client who = stream_client_who(client);
    struct stream_transfer *ended = find(transfers, transfer);
    const struct origin_stream origin = ended->origin;
    uint8_t out[BLOCK_ANSWER_MAX];
    *ended = transfers->running[--transfers->count];
    switch (end) {
    case TRANSFER_UNANSWERED: {
        size_t size = dispatch_unanswered(worker, &who, transfer_query(transfer), out);
        counters_answered(&worker->counters, origin.transport, (struct span){out, size});
        stream_client_send(client, &origin, (struct span){out, size});
        break;
    }
    case TRANSFER_CLOSED:
        stream_client_end(client);
        break;
    case TRANSFER_REFUSED: /* it has been answered */
    case TRANSFER_IDLE:
        break;
    }
    free_transfer(worker, transfer);
    stream_client_settle(client);
}

bool stream_transfers_start(struct stream_transfers *transfers, const struct origin_stream *origin,
                            struct span query, const struct transfer_mark *mark)
{
    struct worker *worker = stream_client_worker(transfers->client);
    if (descriptors_short(worker->wake)) {
        return false; /* each transfer takes one */
    }
    const struct query_ends *ends = stream_client_ends(transfers->client);
    struct transfer_request request = {query, ends->client, ends,
                                       worker->shared->config->limits.tcp_idle_ms, *mark};
    struct transfer_events events = {on_message, on_end, transfers};
    struct transfer *transfer =
        transfer_new(&worker->upstream_env, worker->upstream, &request, &events);
    if (transfer == NULL) {
        return false;
    }
    transfers->running[transfers->count++] = (struct stream_transfer){transfer, *origin, false};
    if (mark->published != NULL) {
        worker_hold(worker, mark->published);
    }
    return true;
}

void stream_transfers_resume(struct stream_transfers *transfers)
{
    for (unsigned i = 0; i < transfers->count; i++) {
        transfer_pause(transfers->running[i].transfer, false);
    }
}

void stream_transfers_stop(struct stream_transfers *transfers)
{
    struct worker *worker = stream_client_worker(transfers->client);
    while (transfers->count > 0) {
        free_transfer(worker, transfers->running[--transfers->count].transfer);
    }
}
