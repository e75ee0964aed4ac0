/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Judge, count, answer or forward (see dispatch.h).
 */
#include "forwarder/dispatch.h"

#include "forwarder/counters.h"
#include "forwarder/generation/generation.h"
#include "forwarder/listen_udp.h"
#include "forwarder/published.h"
#include "forwarder/stream_client.h"
#include "forwarder/transfer.h"
#include "forwarder/upstream.h"
#include "forwarder/worker.h"

static struct published_share *share_of(const struct worker *worker)
{
    return &worker->published->shares[worker->index];
}

static void on_shadow(void *ctx, const struct policy_match *match)
{
    struct worker *worker = ctx;
    if (match->binding == POLICY_SHADOWS) {
        counters_add(&worker->counters, COUNTER_WOULD_BLOCK);
        counters_bump(&share_of(worker)->shadowed[match->order]);
    }
}

static struct query_env env_of(struct worker *worker, const struct published *published,
                               int64_t now)
{
    return (struct query_env){
        .generation = published->generation,
        .memo = worker->memo,
        .now = now,
        .on_shadow = on_shadow,
        .ctx = worker,
    };
}

static void count_blocked(struct worker *worker, const struct query_result *result)
{
    counters_add(&worker->counters, COUNTER_BLOCKED);
    counters_bump(&share_of(worker)->blocked[result->match.order]);
    counters_bump(&worker->counters.country[country_index(result->country)].blocked);
}

static void count(struct worker *worker, const struct query_result *result)
{
    struct counters *counters = &worker->counters;
    counters_add(counters, COUNTER_QUERIES);
    switch (result->reason) {
    case QUERY_NOT_IN_SCOPE:
        if (!result->located) {
            counters_add(counters, COUNTER_LOOKUP_FAILED);
        }
        break;
    case QUERY_NOT_LISTED:
    case QUERY_NO_QUESTION:
    case QUERY_DESIGNATED:
        break;
    case QUERY_BLOCKED:
        count_blocked(worker, result);
        break;
    case QUERY_BAD_EDNS:
        count_blocked(worker, result);
        counters_add(counters, COUNTER_FORMERR);
        break;
    case QUERY_UNREADABLE:
        counters_add(counters, COUNTER_FORMERR);
        break;
    case QUERY_NOT_SERVED:
        counters_add(counters, COUNTER_NOT_SERVED);
        return; /* where it is was not asked */
    case QUERY_NOTIMP:
        return;
    case QUERY_MALFORMED:
        counters_add(counters, COUNTER_DROPPED);
        return;
    }
    counters_bump(&counters->country[country_index(result->country)].queries);
}

/* One message of a client on its way. */
struct message {
    const struct origin *origin;
    const struct query_client *client;
    struct span bytes;
};

/* Puts the query in flight; NULL, counted, if there is no room. */
static struct inflight_entry *add_entry(struct worker *worker, const struct message *message)
{
    struct inflight_entry *entry = inflight_add(worker->inflight, message->bytes, worker->clock.ms);
    if (entry == NULL) {
        counters_add(&worker->counters, COUNTER_IN_FLIGHT_FULL);
        counters_add(&worker->counters, COUNTER_DROPPED);
        return NULL;
    }
    entry->origin = *message->origin;
    entry->client = message->client->address;
    entry->published = worker->published;
    entry->now = worker->clock.seconds;
    entry->client_id = dns_id(message->bytes.bytes);
    share_of(worker)->in_flight++;
    return entry;
}

/* Asks upstream; octets of a SERVFAIL in out if nobody could be asked. */
static size_t ask(struct worker *worker, const struct message *message, bool retry, uint8_t *out)
{
    struct inflight_entry *entry = add_entry(worker, message);
    if (entry == NULL) {
        return 0;
    }
    entry->retry = retry;
    counters_add(&worker->counters, COUNTER_FORWARDED);
    if (upstream_ask(worker->upstream, entry)) {
        if (message->origin->stream) {
            stream_client_expect(worker->streams, &message->origin->connection);
        }
        return 0;
    }
    inflight_take(worker->inflight, entry);
    worker_release(worker, entry->published);
    return dispatch_unanswered(worker, message->client, message->bytes, out);
}

static size_t forward(struct worker *worker, const struct message *message, bool retry,
                      uint8_t *out)
{
    if (!message->origin->stream || !transfer_wanted(message->bytes)) {
        return ask(worker, message, retry, out);
    }
    counters_add(&worker->counters, COUNTER_FORWARDED);
    if (stream_client_transfer(worker->streams, &message->origin->connection, message->bytes)) {
        return 0;
    }
    return dispatch_unanswered(worker, message->client, message->bytes, out);
}

size_t dispatch_query(struct worker *worker, const struct origin *origin,
                      const struct query_client *client, struct span message,
                      uint8_t out[static BLOCK_ANSWER_MAX])
{
    struct query_env env = env_of(worker, worker->published, worker->clock.seconds);
    struct query_result result;
    query_judge(&env, client, message, &result, out);
    count(worker, &result);
    switch (result.fate) {
    case QUERY_FORWARD:
        return forward(worker, &(struct message){origin, client, message}, result.retry, out);
    case QUERY_ANSWER:
        return result.size;
    case QUERY_DROP:
        break;
    }
    return 0;
}

size_t dispatch_unanswered(struct worker *worker, const struct query_client *client,
                           struct span message, uint8_t out[static BLOCK_ANSWER_MAX])
{
    struct query_env env = env_of(worker, worker->published, worker->clock.seconds);
    counters_add(&worker->counters, COUNTER_SERVFAIL);
    return query_unanswered(&env, client, message, out);
}

static void on_answer(void *ctx, const struct inflight_entry *entry, struct span answer)
{
    struct worker *worker = ctx;
    counters_add(&worker->counters, COUNTER_ANSWERED);
    if (entry->origin.stream) {
        stream_client_answer(worker->streams, &entry->origin.connection, answer);
    } else {
        listen_udp_send(&entry->origin.datagram, answer);
    }
    worker_release(worker, entry->published);
}

static void on_unanswered(void *ctx, const struct inflight_entry *entry)
{
    struct worker *worker = ctx;
    struct query_env env = env_of(worker, entry->published, entry->now);
    struct query_client client = {entry->client, entry->origin.stream};
    struct span query = {entry->message, entry->message_size};
    uint8_t out[BLOCK_ANSWER_MAX];
    counters_add(&worker->counters, COUNTER_SERVFAIL);
    dns_set_id(entry->message, entry->client_id);
    size_t size = query_unanswered(&env, &client, query, out);
    if (entry->origin.stream) {
        stream_client_answer(worker->streams, &entry->origin.connection, (struct span){out, size});
    } else {
        listen_udp_send_copy(&entry->origin.datagram, (struct span){out, size});
    }
    worker_release(worker, entry->published);
}

static void on_batch_end(void *ctx)
{
    struct worker *worker = ctx;
    for (size_t i = 0; i < worker->udp_count; i++) {
        listen_udp_flush(worker->udp[i]);
    }
    stream_client_resume(worker->streams);
}

struct upstream_events dispatch_events(struct worker *worker)
{
    return (struct upstream_events){
        .on_answer = on_answer,
        .on_unanswered = on_unanswered,
        .on_batch_end = on_batch_end,
        .ctx = worker,
    };
}
