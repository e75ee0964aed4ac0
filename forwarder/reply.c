/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Answers back to their origins (see reply.h).
 */
#include "forwarder/reply.h"

#include "forwarder/answer_fit.h"
#include "forwarder/listen_quic.h"
#include "forwarder/listen_udp.h"
#include "forwarder/stream/stream_client.h"
#include "forwarder/tap_query.h"
#include "forwarder/upstream/inflight.h"
#include "forwarder/worker.h"

void reply_expect(struct worker *worker, const struct origin *origin)
{
    switch (origin->kind) {
    case ORIGIN_DATAGRAM:
        break;
    case ORIGIN_STREAM:
        stream_client_expect(worker->streams, &origin->connection);
        break;
    case ORIGIN_QUIC:
        listen_quic_expect(worker->quic, &origin->connection);
        break;
    }
}

static void count(struct worker *worker, const struct origin *origin, struct span answer)
{
    counters_answered(&worker->counters, origin->transport, answer);
}

static void send_copy(struct worker *worker, const struct origin *origin, struct span answer)
{
    switch (origin->kind) {
    case ORIGIN_DATAGRAM:
        listen_udp_send_copy(&origin->datagram, answer);
        break;
    case ORIGIN_STREAM:
        stream_client_answer(worker->streams, &origin->connection, answer);
        break;
    case ORIGIN_QUIC:
        listen_quic_answer(worker->quic, &origin->connection, answer);
        break;
    }
}

void reply_send(struct worker *worker, const struct origin *origin, struct span answer)
{
    count(worker, origin, answer);
    send_copy(worker, origin, answer);
}

/* A datagram's answer that may be longer than its client takes, cut if it is. One that came by a
 * stream knew no limit at all: it gets ours too, so that nobody is sent more than he asked for
 * elsewhere. */
static struct span fit(const struct inflight_entry *entry, struct span answer,
                       uint8_t out[static BLOCK_ANSWER_MAX])
{
    size_t limit = answer_fit_limit(inflight_client_query(entry));
    if (entry->streamed && limit > BLOCK_ANSWER_MAX) {
        limit = BLOCK_ANSWER_MAX;
    }
    return answer.size > limit ? (struct span){out, answer_fit_cut(answer, limit, out)} : answer;
}

void reply_relay(struct worker *worker, const struct inflight_entry *entry, struct span answer)
{
    uint8_t room[BLOCK_ANSWER_MAX];
    bool datagram = entry->origin.kind == ORIGIN_DATAGRAM;
    if (datagram && (entry->streamed || entry->subnet != CLIENT_SUBNET_NONE)) {
        answer = fit(entry, answer, room);
    }
    count(worker, &entry->origin, answer);
    if (datagram && !entry->streamed && answer.bytes != room) {
        listen_udp_send(&entry->origin.datagram, answer);
    } else {
        send_copy(worker, &entry->origin, answer);
    }
    if (worker->tap != NULL) {
        struct tap_query query = tap_query_of(entry);
        tap_query_answered(worker, &query, answer);
    }
}

void reply_forgo(struct worker *worker, const struct origin *origin)
{
    switch (origin->kind) {
    case ORIGIN_DATAGRAM:
        break;
    case ORIGIN_STREAM:
        stream_client_forgo(worker->streams, &origin->connection);
        break;
    case ORIGIN_QUIC:
        listen_quic_forgo(worker->quic, &origin->connection);
        break;
    }
}
