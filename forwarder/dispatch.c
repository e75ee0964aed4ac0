/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The way of a query: judge, count, answer or forward (see dispatch.h).
 */
#include "forwarder/dispatch.h"

#include "forwarder/counters.h"
#include "forwarder/dispatch_limit.h"
#include "forwarder/dispatch_steps.h"
#include "forwarder/generation/generation.h"
#include "forwarder/name_sketch.h"
#include "forwarder/reply.h"
#include "forwarder/stream/stream_client.h"
#include "forwarder/tap_query.h"
#include "forwarder/true_client.h"
#include "forwarder/upstream/transfer.h"

static void count(const struct dispatch_context *context, const struct query_result *result,
                  unsigned transport)
{
    struct counters *counters = &context->worker->counters;
    counters_asked(counters, transport);
    switch (result->reason) {
    case QUERY_NOT_IN_SCOPE:
        if (!result->located) {
            counters_add(counters, COUNTER_LOOKUP_FAILED);
        }
        break;
    case QUERY_NOT_LISTED:
    case QUERY_ANSWER_CUT:
    case QUERY_NO_QUESTION:
    case QUERY_DESIGNATED:
        break;
    case QUERY_BLOCKED:
        dispatch_count_blocked(context, result);
        break;
    case QUERY_BAD_EDNS:
        dispatch_count_blocked(context, result);
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
    counters_bump(&counters->country[country_index(result->place.country)].queries);
}

static bool is_blocked(const struct query_result *result)
{
    return result->reason == QUERY_BLOCKED || result->reason == QUERY_BAD_EDNS;
}

/* While somebody watches: the name that an order blocks, as the order has it. One that blocks a
 * client whatever it asks for names none. */
static void note_listed(const struct dispatch_context *context, const struct query_read *read,
                        const struct query_result *result)
{
    struct dname name;
    if (is_blocked(result) && result->match.labels > 0) {
        dname_suffix(&read->seen.qname, result->match.labels, &name);
        name_sketch_add(context->worker->names.filled, &name, 1);
    }
}

/* Is it of a connection that can carry a transfer, which may be many messages? Not so over HTTPS,
 * where an answer is one (RFC 8484 section 4.2), nor over QUIC. */
static bool carries_transfers(const struct worker *worker, const struct origin *origin)
{
    switch (origin->kind) {
    case ORIGIN_DATAGRAM:
    case ORIGIN_QUIC:
        break;
    case ORIGIN_STREAM:
        return stream_client_transfers(worker->streams, &origin->connection);
    }
    return false;
}

/* One message would be taken for the whole zone. */
static size_t refuse_transfer(const struct dispatch_message *message, uint8_t *out)
{
    struct dns_header header;
    bool whole = dns_header_decode(message->bytes, &header);
    return whole ? block_header_only(&header, DNS_RCODE_NOTIMP, out) : 0;
}

static size_t forward(struct dispatch_context *context, const struct dispatch_message *message,
                      const struct query_result *result, uint8_t *out)
{
    struct worker *worker = context->worker;
    if (message->origin->kind == ORIGIN_DATAGRAM || !transfer_wanted(message->bytes)) {
        return dispatch_ask(context, message, result, out);
    }
    if (!carries_transfers(worker, message->origin)) {
        return refuse_transfer(message, out);
    }
    struct transfer_mark mark = {result->reads_answer ? context->published : NULL, context->env.now,
                                 result->place, message->client->subject, message->client->spread};
    counters_add(&worker->counters, COUNTER_FORWARDED);
    if (stream_client_transfer(worker->streams, &message->origin->connection, message->bytes,
                               &mark)) {
        return 0;
    }
    return dispatch_give_up(context, message, out);
}

static size_t lead_query(struct dispatch_context *context, const struct dispatch_message *message,
                         const struct query_result *result, uint8_t *out)
{
    size_t size;
    if (!dispatch_limit_allows_answer(context->worker, message->client)) {
        return dispatch_limit_slip(context->worker, message->client, message->bytes, out);
    }
    switch (dispatch_lead(context, message, result, out, &size)) {
    case DISPATCH_LED_AWAITS:
        reply_expect(context->worker, message->origin);
        return 0;
    case DISPATCH_LED_DROPPED:
        return 0;
    case DISPATCH_LED_ANSWER:
        break;
    }
    return size;
}

void dispatch_take_ecs(const struct dispatch_context *context, struct query_client *client,
                       struct span bytes)
{
    true_client_ecs(&context->env.generation->config->trust, bytes, client);
}

/* Does what was decided. Octets of the answer in out. */
static size_t act(struct dispatch_context *context, const struct dispatch_message *message,
                  const struct query_result *result, uint8_t *out)
{
    switch (result->fate) {
    case QUERY_FORWARD:
        return forward(context, message, result, out);
    case QUERY_ANSWER:
        return dispatch_within_rate(context, message, result->size, out);
    case QUERY_CNAME:
        return lead_query(context, message, result, out);
    case QUERY_DROP:
        break;
    }
    return 0;
}

/* For who is told of queries: one that was judged, and what it was answered. */
static void tell_judged(const struct dispatch_context *context,
                        const struct dispatch_message *message, const struct query_result *result,
                        struct span answer)
{
    struct tap_query query = {
        .origin = message->origin,
        .client = &message->client->address,
        .ends = message->client->ends,
        .message = message->bytes,
        .generation = context->published->generation,
        .arrived_ms = context->worker->clock.ms,
    };
    tap_query_judged(context->worker, &query, result, answer,
                     context->shadowed ? &context->shadow : NULL);
}

/* An answer made here, or none: its octets. */
static size_t answered(struct worker *worker, const struct origin *origin, struct span answer)
{
    if (answer.size > 0) {
        counters_answered(&worker->counters, origin->transport, answer);
    }
    return answer.size;
}

size_t dispatch_prepared(struct dispatch_context *context, const struct origin *origin,
                         struct query_read *read, uint8_t out[static BLOCK_ANSWER_MAX])
{
    struct worker *worker = context->worker;
    struct dispatch_message message = {origin, read->seen.client, read->seen.message};
    struct query_result result;
    struct span answer = {out, 0};
    if (!dispatch_limit_allows_query(worker, read)) {
        answer.size = dispatch_limit_refuse(worker, read, origin->transport, out);
        return answered(worker, origin, answer);
    }
    context->shadowed = false;
    query_decide(&context->env, read, &result, out);
    count(context, &result, origin->transport);
    if (worker->names.filled != NULL) {
        note_listed(context, read, &result);
    }
    answer.size = act(context, &message, &result, out);
    if (worker->tap != NULL) {
        tell_judged(context, &message, &result, answer);
    }
    return answered(worker, origin, answer);
}

size_t dispatch_query(struct worker *worker, const struct origin *origin,
                      const struct query_client *client, struct span bytes,
                      uint8_t out[static BLOCK_ANSWER_MAX])
{
    struct query_read read;
    struct query_client told = *client;
    struct dispatch_context context;
    dispatch_begin(worker, &context);
    dispatch_read(&context, &told, bytes, &read);
    query_sift(&context.env, &read);
    return dispatch_prepared(&context, origin, &read, out);
}

size_t dispatch_unanswered(struct worker *worker, const struct query_client *client,
                           struct span message, uint8_t out[static BLOCK_ANSWER_MAX])
{
    struct dispatch_context context;
    dispatch_begin(worker, &context);
    return dispatch_give_up(&context,
                            &(struct dispatch_message){.client = client, .bytes = message}, out);
}
