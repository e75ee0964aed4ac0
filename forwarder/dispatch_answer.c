/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The way back: an answer of upstream, or the lack of one, to the client it belongs to (see
 * dispatch.h).
 */
#include "forwarder/dispatch_steps.h"

#include "forwarder/counters.h"
#include "forwarder/dispatch_limit.h"
#include "forwarder/listen_quic.h"
#include "forwarder/listeners.h"
#include "forwarder/name_sketch.h"
#include "forwarder/query_answer.h"
#include "forwarder/reply.h"
#include "forwarder/stream/stream_client.h"
#include "forwarder/stream/stream_transfers.h"
#include "forwarder/tap_query.h"
#include "forwarder/upstream/transfer.h"
#include "forwarder/upstream/upstream.h"

/* While somebody watches: the name that was asked for, if what the answer held was blocked. */
static void note_asked(const struct dispatch_context *context, struct span query)
{
    struct dns_question question;
    struct dname name;
    if (dns_question_decode(query, &question) == DNS_QUESTION_ONE &&
        dname_decode(question.qname.bytes, question.qname.size, &name)) {
        name_sketch_add(context->worker->names.filled, &name, 1);
    }
}

/* Judges an answer, and counts what came of it. */
static void judge_answer(struct dispatch_context *context, const struct query_answer *answer,
                         struct query_result *result, uint8_t *out)
{
    struct counters *counters = &context->worker->counters;
    query_answer_judge(&context->env, answer, result, out);
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
    dispatch_count_blocked(context, result);
    if (context->worker->names.filled != NULL) {
        note_asked(context, answer->query);
    }
    counters_add(counters, COUNTER_BLOCKED_ANSWERS);
}

/* Judges one message of a transfer whose mark has a generation to judge it by. */
static void judge_transfer(struct worker *worker, const struct transfer *transfer,
                           struct span message, struct query_result *result, uint8_t *out)
{
    const struct transfer_mark *mark = transfer_mark(transfer);
    struct dispatch_context context;
    dispatch_resume(worker, mark->published, mark->now, &context);
    struct query_answer answer = {
        .client = {.address = *transfer_client(transfer),
                   .subject = mark->subject,
                   .spread = mark->spread,
                   .stream = true},
        .place = mark->place,
        .query = transfer_query(transfer),
        .answer = message,
    };
    judge_answer(&context, &answer, result, out);
}

enum query_fate dispatch_transfer(struct worker *worker, const struct stream_transfer *running,
                                  struct span message, uint8_t out[static BLOCK_ANSWER_MAX],
                                  size_t *size)
{
    struct query_result result = {.fate = QUERY_FORWARD};
    if (transfer_mark(running->transfer)->published != NULL) {
        judge_transfer(worker, running->transfer, message, &result, out);
        *size = result.size;
    }
    if (worker->tap != NULL) {
        tap_query_transfer(worker, running, message, &result, out);
    }
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

/* Sends what is due of an answer made here; that may be nothing, over UDP. */
static void send_due(const struct dispatch_context *context, const struct inflight_entry *entry,
                     struct span due)
{
    if (due.size > 0) {
        reply_send(context->worker, &entry->origin, due);
    }
}

/* Upstream's answer leads to what an order names, and the order leads elsewhere. Returns octets of
 * out, which the client is given; 0: nothing now. */
static size_t lead_answer(struct dispatch_context *context, const struct inflight_entry *entry,
                          const struct query_answer *answer, const struct query_result *result,
                          uint8_t *out)
{
    struct query_client client = answer->client;
    client.ends = &entry->ends;
    struct dispatch_message message = {&entry->origin, &client, answer->query};
    size_t size;
    if (!dispatch_limit_allows_answer(context->worker, &client)) {
        size = dispatch_limit_slip(context->worker, &client, answer->query, out);
        send_due(context, entry, (struct span){out, size});
        return size;
    }
    switch (dispatch_lead(context, &message, result, out, &size)) {
    case DISPATCH_LED_AWAITS:
    case DISPATCH_LED_DROPPED:
        return 0;
    case DISPATCH_LED_ANSWER:
        break;
    }
    send_due(context, entry, (struct span){out, size});
    return size;
}

/* An answer made here in place of upstream's, size octets in out; returns how many the client is
 * given. */
static size_t answer_made(struct dispatch_context *context, const struct inflight_entry *entry,
                          size_t size, uint8_t *out)
{
    struct query_client client = client_of(entry);
    struct dispatch_message message = {&entry->origin, &client, inflight_client_query(entry)};
    size = dispatch_within_rate(context, &message, size, out);
    send_due(context, entry, (struct span){out, size});
    return size;
}

/* Is the answer for the client as it is? If not, the client has got what is due to it. */
static bool passes(struct worker *worker, const struct inflight_entry *entry, struct span bytes)
{
    struct dispatch_context context;
    dispatch_resume(worker, entry->published, entry->now, &context);
    struct query_answer answer = answer_of(entry, bytes);
    struct query_result result;
    uint8_t out[BLOCK_ANSWER_MAX];
    size_t size = 0;
    judge_answer(&context, &answer, &result, out);
    switch (result.fate) {
    case QUERY_FORWARD:
        return true;
    case QUERY_ANSWER:
        size = answer_made(&context, entry, result.size, out);
        break;
    case QUERY_CNAME:
        size = lead_answer(&context, entry, &answer, &result, out);
        break;
    case QUERY_DROP:
        reply_forgo(worker, &entry->origin);
        break;
    }
    if (worker->tap != NULL) {
        struct tap_query query = tap_query_of(entry);
        tap_query_stopped(worker, &query, &result, (struct span){out, size});
    }
    return false;
}

/* An answer that is not upstream's alone; that may be nothing, over UDP. */
static void answer_entry(const struct dispatch_context *context, const struct inflight_entry *entry,
                         struct span answer)
{
    struct worker *worker = context->worker;
    send_due(context, entry, answer);
    if (worker->tap != NULL && entry->leads) {
        tap_query_led(worker, entry, answer);
    } else if (worker->tap != NULL) {
        struct tap_query query = tap_query_of(entry);
        tap_query_answered(worker, &query, answer);
    }
}

static void answer_unanswered(struct worker *worker, const struct inflight_entry *entry)
{
    struct dispatch_context context;
    dispatch_resume(worker, entry->published, entry->now, &context);
    struct query_client client = client_of(entry);
    struct dispatch_message message = {&entry->origin, &client, inflight_client_query(entry)};
    uint8_t out[BLOCK_ANSWER_MAX];
    size_t size = dispatch_give_up(&context, &message, out);
    answer_entry(&context, entry, (struct span){out, size});
}

/* The target's answer goes to the client behind the order's CNAME. */
static void answer_led(struct worker *worker, const struct inflight_entry *entry, struct span bytes)
{
    struct dispatch_context context;
    dispatch_resume(worker, entry->published, entry->now, &context);
    struct query_answer answer = answer_of(entry, bytes);
    uint8_t out[DNS_MESSAGE_MAX]; /* a stream takes it whole */
    struct span_writer writer = span_writer(out, sizeof out);
    size_t size = query_answer_compose(&context.env, &answer, &entry->match, &writer);
    if (size == 0) {
        answer_unanswered(worker, entry);
    } else {
        answer_entry(&context, entry, (struct span){out, size});
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
    listeners_flush(worker->listeners);
    stream_clients_resume(worker->streams);
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
