/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Answers back to their origins (see reply.h).
 */
#include "forwarder/reply.h"

#include "forwarder/answer_fit.h"
#include "forwarder/listen_quic.h"
#include "forwarder/listen_udp.h"
#include "forwarder/stream/stream_client.h"
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

void reply_send(struct worker *worker, const struct origin *origin, struct span answer)
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

/* Hands on a datagram's answer that may be longer than its client takes. One that came by a stream
 * knew no limit at all: it gets ours too, so that nobody is sent more than he asked for elsewhere.
 */
static void relay_fitted(struct worker *worker, const struct inflight_entry *entry,
                         struct span answer)
{
    uint8_t out[BLOCK_ANSWER_MAX];
    size_t limit = answer_fit_limit(inflight_client_query(entry));
    if (entry->streamed && limit > sizeof(out)) {
        limit = sizeof(out);
    }
    if (answer.size > limit) {
        answer = (struct span){out, answer_fit_cut(answer, limit, out)};
    } else if (!entry->streamed) {
        listen_udp_send(&entry->origin.datagram, answer);
        return;
    }
    reply_send(worker, &entry->origin, answer);
}

void reply_relay(struct worker *worker, const struct inflight_entry *entry, struct span answer)
{
    if (entry->origin.kind != ORIGIN_DATAGRAM) {
        reply_send(worker, &entry->origin, answer);
    } else if (entry->streamed || entry->subnet != CLIENT_SUBNET_NONE) {
        relay_fitted(worker, entry, answer);
    } else {
        listen_udp_send(&entry->origin.datagram, answer);
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
