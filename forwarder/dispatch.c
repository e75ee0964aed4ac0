/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Judge, count, answer or forward (see dispatch.h).
 */
#include "forwarder/dispatch.h"

#include "forwarder/cname_target.h"
#include "forwarder/counters.h"
#include "forwarder/generation/generation.h"
#include "forwarder/listen_quic.h"
#include "forwarder/listen_udp.h"
#include "forwarder/published.h"
#include "forwarder/query_answer.h"
#include "forwarder/reply.h"
#include "forwarder/stream/stream_client.h"
#include "forwarder/stream/stream_table.h"
#include "forwarder/true_client.h"
#include "forwarder/upstream/transfer.h"
#include "forwarder/upstream/upstream.h"
#include "forwarder/upstream/upstream_subnet.h"
#include "forwarder/worker.h"

/* For what a query is judged, counted and answered: the generation it came under, its time. */
struct context {
    struct worker *worker;
    struct published *published;
    int64_t now;
};

static struct published_share *share_of(const struct context *context)
{
    return &context->published->shares[context->worker->index];
}

static void on_shadow(void *ctx, const struct policy_match *match)
{
    struct context *context = ctx;
    if (match->binding == POLICY_SHADOWS) {
        counters_add(&context->worker->counters, COUNTER_WOULD_BLOCK);
        counters_bump(&share_of(context)->shadowed[match->order]);
    }
}

static struct context context_now(struct worker *worker)
{
    return (struct context){worker, worker->published, worker->clock.seconds};
}

static struct context context_of(struct worker *worker, const struct inflight_entry *entry)
{
    return (struct context){worker, entry->published, entry->now};
}

static struct query_env env_of(struct context *context)
{
    return (struct query_env){
        .generation = context->published->generation,
        .memo = context->worker->memo,
        .now = context->now,
        .on_shadow = on_shadow,
        .ctx = context,
    };
}

static void count_blocked(const struct context *context, const struct query_result *result)
{
    struct counters *counters = &context->worker->counters;
    counters_add(counters, COUNTER_BLOCKED);
    counters_bump(&share_of(context)->blocked[result->match.order]);
    counters_bump(&counters->country[country_index(result->place.country)].blocked);
}

static void count(const struct context *context, const struct query_result *result)
{
    struct counters *counters = &context->worker->counters;
    counters_add(counters, COUNTER_QUERIES);
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
        count_blocked(context, result);
        break;
    case QUERY_BAD_EDNS:
        count_blocked(context, result);
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

/* One message of a client on its way. */
struct message {
    const struct origin *origin;
    const struct query_client *client;
    struct span bytes;
};

/* For a health check of a proxy, say: `send-client: proxy-protocol` tells of no client. */
static const struct query_ends NOBODY;

/* A query that was put in flight, or NULL: counted, there was no room. */
static struct inflight_entry *fill_entry(const struct context *context,
                                         const struct message *message,
                                         const struct query_result *result,
                                         struct inflight_entry *entry)
{
    struct worker *worker = context->worker;
    if (entry == NULL) {
        counters_add(&worker->counters, COUNTER_IN_FLIGHT_FULL);
        counters_add(&worker->counters, COUNTER_DROPPED);
        return NULL;
    }
    entry->origin = *message->origin;
    entry->client = message->client->address;
    entry->subject = message->client->subject;
    entry->spread = message->client->spread;
    if (worker->shared->config->upstream.send_client == CONFIG_SEND_PROXY) {
        entry->ends = message->client->ends != NULL ? *message->client->ends : NOBODY;
    }
    entry->place = result->place;
    entry->published = context->published;
    entry->now = context->now;
    entry->client_id = dns_id(message->bytes.bytes);
    worker_hold(worker, context->published);
    return entry;
}

/* Asks upstream; false if nobody could be asked. */
static bool send_entry(struct worker *worker, struct inflight_entry *entry)
{
    if (upstream_ask(worker->upstream, entry)) {
        return true;
    }
    inflight_take(worker->inflight, entry);
    worker_release(worker, entry->published);
    return false;
}

static size_t unanswered(struct context *context, const struct message *message, uint8_t *out)
{
    struct query_env env = env_of(context);
    counters_add(&context->worker->counters, COUNTER_SERVFAIL);
    return query_unanswered(&env, message->client, message->bytes, out);
}

/* Asks upstream; octets of a SERVFAIL in out if nobody could be asked. */
static size_t ask(struct context *context, const struct message *message,
                  const struct query_result *result, uint8_t *out)
{
    struct worker *worker = context->worker;
    struct inflight_entry *entry =
        fill_entry(context, message, result,
                   upstream_subnet_add(&worker->upstream_env, message->bytes, message->client));
    if (entry == NULL) {
        return 0;
    }
    entry->retry = result->retry;
    entry->reads_answer = result->reads_answer;
    counters_add(&worker->counters, COUNTER_FORWARDED);
    if (!send_entry(worker, entry)) {
        return unanswered(context, message, out);
    }
    reply_expect(worker, message->origin);
    return 0;
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
static size_t refuse_transfer(const struct message *message, uint8_t *out)
{
    struct dns_header header;
    bool whole = dns_header_decode(message->bytes, &header);
    return whole ? block_header_only(&header, DNS_RCODE_NOTIMP, out) : 0;
}

static size_t forward(struct context *context, const struct message *message,
                      const struct query_result *result, uint8_t *out)
{
    struct worker *worker = context->worker;
    if (message->origin->kind == ORIGIN_DATAGRAM || !transfer_wanted(message->bytes)) {
        return ask(context, message, result, out);
    }
    if (!carries_transfers(worker, message->origin)) {
        return refuse_transfer(message, out);
    }
    struct transfer_mark mark = {result->reads_answer ? context->published : NULL, context->now,
                                 result->place, message->client->subject, message->client->spread};
    counters_add(&worker->counters, COUNTER_FORWARDED);
    if (stream_client_transfer(worker->streams, &message->origin->connection, message->bytes,
                               &mark)) {
        return 0;
    }
    return unanswered(context, message, out);
}

/* What becomes of a client that an order leads to another name. */
enum led {
    LED_AWAITS,  /* upstream was asked for it */
    LED_DROPPED, /* there was no room in flight, and UDP needs no answer */
    LED_ANSWER,  /* nothing was asked: an answer is in out */
};

/* Asks for the target of an order in place of the client's query. *size: of the CNAME alone in out,
 * which is the answer where the question asks for no more; LED_ANSWER may change both. */
static enum led lead(struct context *context, const struct message *message,
                     const struct query_result *result, uint8_t *out, size_t *size)
{
    struct worker *worker = context->worker;
    uint8_t own[CNAME_TARGET_QUERY_MAX];
    struct span query = {own, cname_target_query(message->bytes, result->target, own)};
    *size = result->size;
    if (query.size == 0) {
        return LED_ANSWER;
    }
    struct inflight_entry *entry = fill_entry(
        context, message, result,
        upstream_subnet_add_own(&worker->upstream_env, query, message->bytes, message->client));
    if (entry == NULL && message->origin->kind == ORIGIN_DATAGRAM) {
        return LED_DROPPED;
    }
    if (entry != NULL) {
        entry->leads = true;
        entry->retry = true;
        entry->match = result->match;
    }
    if (entry != NULL && send_entry(worker, entry)) {
        return LED_AWAITS;
    }
    *size = unanswered(context, message, out);
    return LED_ANSWER;
}

static size_t lead_query(struct context *context, const struct message *message,
                         const struct query_result *result, uint8_t *out)
{
    size_t size;
    switch (lead(context, message, result, out, &size)) {
    case LED_AWAITS:
        reply_expect(context->worker, message->origin);
        return 0;
    case LED_DROPPED:
        return 0;
    case LED_ANSWER:
        break;
    }
    return size;
}

void dispatch_read(struct worker *worker, struct query_client *client, struct span bytes,
                   struct query_read *out)
{
    struct context context = context_now(worker);
    const struct config_trust *trust = &context.published->generation->config->trust;
    if (trust->ecs != NULL) {
        true_client_ecs(trust, bytes, client);
    }
    struct query_env env = env_of(&context);
    query_read(&env, client, bytes, out);
}

size_t dispatch_prepared(struct worker *worker, const struct origin *origin,
                         struct query_read *read, uint8_t out[static BLOCK_ANSWER_MAX])
{
    struct context context = context_now(worker);
    struct message message = {origin, read->seen.client, read->seen.message};
    struct query_env env = env_of(&context);
    struct query_result result;
    query_decide(&env, read, &result, out);
    count(&context, &result);
    switch (result.fate) {
    case QUERY_FORWARD:
        return forward(&context, &message, &result, out);
    case QUERY_ANSWER:
        return result.size;
    case QUERY_CNAME:
        return lead_query(&context, &message, &result, out);
    case QUERY_DROP:
        break;
    }
    return 0;
}

size_t dispatch_query(struct worker *worker, const struct origin *origin,
                      const struct query_client *client, struct span bytes,
                      uint8_t out[static BLOCK_ANSWER_MAX])
{
    struct query_read read;
    struct query_client told = *client;
    dispatch_read(worker, &told, bytes, &read);
    return dispatch_prepared(worker, origin, &read, out);
}

size_t dispatch_unanswered(struct worker *worker, const struct query_client *client,
                           struct span message, uint8_t out[static BLOCK_ANSWER_MAX])
{
    struct context context = context_now(worker);
    return unanswered(&context, &(struct message){.client = client, .bytes = message}, out);
}

/* ---- The way back ---- */

/* Judges an answer, and counts what came of it. */
static void judge_answer(struct context *context, const struct query_answer *answer,
                         struct query_result *result, uint8_t *out)
{
    struct counters *counters = &context->worker->counters;
    struct query_env env = env_of(context);
    query_answer_judge(&env, answer, result, out);
    counters_add(counters, COUNTER_ANSWERS_READ);
    switch (result->reason) {
    case QUERY_ANSWER_CUT:
        counters_add(counters, COUNTER_ANSWERS_UNREADABLE);
        return;
    case QUERY_BAD_EDNS:
        counters_add(counters, COUNTER_FORMERR);
        break;
    case QUERY_BLOCKED:
        break;
    case QUERY_NOT_LISTED:
    case QUERY_NOT_IN_SCOPE:
    case QUERY_NO_QUESTION:
    case QUERY_UNREADABLE:
    case QUERY_NOTIMP:
    case QUERY_NOT_SERVED:
    case QUERY_DESIGNATED:
    case QUERY_MALFORMED:
        return;
    }
    count_blocked(context, result);
    counters_add(counters, COUNTER_BLOCKED_ANSWERS);
}

enum query_fate dispatch_transfer(struct worker *worker, const struct transfer *transfer,
                                  struct span message, uint8_t out[static BLOCK_ANSWER_MAX],
                                  size_t *size)
{
    const struct transfer_mark *mark = transfer_mark(transfer);
    if (mark->published == NULL) {
        return QUERY_FORWARD;
    }
    struct context context = {worker, mark->published, mark->now};
    struct query_answer answer = {
        .client = {.address = *transfer_client(transfer),
                   .subject = mark->subject,
                   .spread = mark->spread,
                   .stream = true},
        .place = mark->place,
        .query = transfer_query(transfer),
        .answer = message,
    };
    struct query_result result;
    judge_answer(&context, &answer, &result, out);
    *size = result.size;
    return result.fate;
}

/* Who asked, as far as it matters once his query has been judged. */
static struct query_client client_of(const struct inflight_entry *entry)
{
    return (struct query_client){.address = entry->client,
                                 .subject = entry->subject,
                                 .spread = entry->spread,
                                 .stream = entry->origin.kind != ORIGIN_DATAGRAM};
}

static struct query_answer answer_of(const struct inflight_entry *entry, struct span answer)
{
    return (struct query_answer){
        .client = client_of(entry),
        .place = entry->place,
        .query = inflight_client_query(entry),
        .answer = answer,
    };
}

/* Upstream's answer leads to what an order names, and the order leads elsewhere. */
static void lead_answer(struct context *context, const struct inflight_entry *entry,
                        const struct query_answer *answer, const struct query_result *result,
                        uint8_t *out)
{
    struct query_client client = answer->client;
    client.ends = &entry->ends;
    struct message message = {&entry->origin, &client, answer->query};
    size_t size;
    switch (lead(context, &message, result, out, &size)) {
    case LED_AWAITS:
    case LED_DROPPED:
        return;
    case LED_ANSWER:
        break;
    }
    reply_send(context->worker, &entry->origin, (struct span){out, size});
}

/* Is the answer for the client as it is? If not, the client has got what is due to it. */
static bool passes(struct worker *worker, const struct inflight_entry *entry, struct span bytes)
{
    struct context context = context_of(worker, entry);
    struct query_answer answer = answer_of(entry, bytes);
    struct query_result result;
    uint8_t out[BLOCK_ANSWER_MAX];
    judge_answer(&context, &answer, &result, out);
    switch (result.fate) {
    case QUERY_FORWARD:
        return true;
    case QUERY_ANSWER:
        reply_send(worker, &entry->origin, (struct span){out, result.size});
        break;
    case QUERY_CNAME:
        lead_answer(&context, entry, &answer, &result, out);
        break;
    case QUERY_DROP:
        reply_forgo(worker, &entry->origin);
        break;
    }
    return false;
}

static void answer_unanswered(struct worker *worker, const struct inflight_entry *entry)
{
    struct context context = context_of(worker, entry);
    struct query_client client = client_of(entry);
    struct message message = {&entry->origin, &client, inflight_client_query(entry)};
    uint8_t out[BLOCK_ANSWER_MAX];
    size_t size = unanswered(&context, &message, out);
    reply_send(worker, &entry->origin, (struct span){out, size});
}

/* The target's answer goes to the client behind the order's CNAME. */
static void answer_led(struct worker *worker, const struct inflight_entry *entry, struct span bytes)
{
    struct context context = context_of(worker, entry);
    struct query_env env = env_of(&context);
    struct query_answer answer = answer_of(entry, bytes);
    uint8_t out[DNS_MESSAGE_MAX]; /* a stream takes it whole */
    struct span_writer writer = span_writer(out, sizeof(out));
    size_t size = query_answer_compose(&env, &answer, &entry->match, &writer);
    if (size == 0) {
        answer_unanswered(worker, entry);
    } else {
        reply_send(worker, &entry->origin, (struct span){out, size});
    }
}

static void on_answer(void *ctx, const struct inflight_entry *entry, struct span answer)
{
    struct worker *worker = ctx;
    if (entry->leads) {
        answer_led(worker, entry, answer);
    } else if (!entry->reads_answer || passes(worker, entry, answer)) {
        counters_add(&worker->counters, COUNTER_ANSWERED);
        reply_relay(worker, entry, answer);
    }
    worker_release(worker, entry->published);
}

static void on_unanswered(void *ctx, const struct inflight_entry *entry)
{
    struct worker *worker = ctx;
    answer_unanswered(worker, entry);
    worker_release(worker, entry->published);
}

static void on_batch_end(void *ctx)
{
    struct worker *worker = ctx;
    upstream_flush(worker->upstream); /* answers may have led to questions of our own */
    for (size_t i = 0; i < worker->udp_count; i++) {
        listen_udp_flush(worker->udp[i]);
    }
    stream_table_resume(worker->streams);
    listen_quic_resume(worker->quic);
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
