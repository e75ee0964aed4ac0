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

void reply_expect_connected(struct worker *worker, const struct origin *origin)
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

static void tell_answered(struct worker *worker, const struct inflight_entry *entry,
                          struct span answer)
{
    if (worker->tap != NULL) {
        struct tap_query query = tap_query_of(entry);
        tap_query_answered(worker, &query, answer);
    }
}

/* To the sender of a datagram, from where the answer is. */
static void relay_in_place(struct worker *worker, const struct inflight_entry *entry,
                           struct span answer)
{
    count(worker, &entry->origin, answer);
    listen_udp_send(&entry->origin.datagram, answer);
    tell_answered(worker, entry, answer);
}

static void relay_copy(struct worker *worker, const struct inflight_entry *entry,
                       struct span answer)
{
    reply_send(worker, &entry->origin, answer);
    tell_answered(worker, entry, answer);
}

/* To the sender of a datagram, who may not take all of it. */
static void relay_fitted(struct worker *worker, const struct inflight_entry *entry,
                         struct span answer)
{
    uint8_t room[BLOCK_ANSWER_MAX];
    struct span fitted = fit(entry, answer, room);
    if (entry->streamed || fitted.bytes == room) {
        relay_copy(worker, entry, fitted);
    } else {
        relay_in_place(worker, entry, fitted);
    }
}

void reply_relay(struct worker *worker, const struct inflight_entry *entry, struct span answer)
{
    if (entry->origin.kind != ORIGIN_DATAGRAM) {
        relay_copy(worker, entry, answer);
    } else if (entry->streamed || entry->subnet != CLIENT_SUBNET_NONE) {
        relay_fitted(worker, entry, answer);
    } else {
        relay_in_place(worker, entry, answer);
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
