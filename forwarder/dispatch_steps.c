/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Steps of both ways (see dispatch_steps.h).
 */
#include "forwarder/dispatch_steps.h"

#include "forwarder/cname_target.h"
#include "forwarder/counters.h"
#include "forwarder/country_slots.h"
#include "forwarder/generation/generation.h"
#include "forwarder/reply.h"
#include "forwarder/upstream/upstream.h"
#include "forwarder/upstream/upstream_subnet.h"

static void on_shadow(void *ctx, const struct policy_match *match)
{
    struct dispatch_context *context = ctx;
    if (match->binding == POLICY_SHADOWS) {
        counters_add(&context->worker->counters, COUNTER_WOULD_BLOCK);
        counters_bump(&dispatch_share(context)->shadowed[match->order]);
        if (!context->shadowed) {
            context->shadowed = true;
            context->shadow = *match;
        }
    }
}

void dispatch_resume(struct worker *worker, struct published *published, int64_t now,
                     struct dispatch_context *out)
{
    out->worker = worker;
    out->published = published;
    out->trusts_ecs = published->generation->config->trust.ecs != NULL;
    out->shadowed = false;
    out->env = (struct query_env){
        .generation = published->generation,
        .memo = worker->memo,
        .now = now,
        .waited = worker->clock.seconds > now ? worker->clock.seconds - now : 0,
        .on_shadow = on_shadow,
        .ctx = out,
    };
}

void dispatch_begin(struct worker *worker, struct dispatch_context *out)
{
    dispatch_resume(worker, worker->published, worker->clock.seconds, out);
}

void dispatch_count_blocked(const struct dispatch_context *context,
                            const struct query_result *result)
{
    struct counters *counters = &context->worker->counters;
    counters_add(counters, COUNTER_BLOCKED);
    counters_bump(&dispatch_share(context)->blocked[country_slots_find(
        context->published->slots, result->match.order, result->place.country)]);
    counters_bump(&counters->country[country_index(result->place.country)].blocked);
}

/* For a health check of a proxy, say: nobody is told of any client. */
static const struct query_ends NOBODY;

/* A query that was put in flight, or NULL: counted, there was no room. */
static struct inflight_entry *fill_entry(const struct dispatch_context *context,
                                         const struct dispatch_message *message,
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
    if (worker_tells_ends(worker)) {
        entry->ends = message->client->ends != NULL ? *message->client->ends : NOBODY;
    }
    entry->place = result->place;
    entry->published = context->published;
    entry->now = context->env.now;
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

size_t dispatch_give_up(struct dispatch_context *context, const struct dispatch_message *message,
                        uint8_t *out)
{
    counters_add(&context->worker->counters, COUNTER_SERVFAIL);
    return dispatch_within_rate(
        context, message, query_unanswered(&context->env, message->client, message->bytes, out),
        out);
}

size_t dispatch_ask(struct dispatch_context *context, const struct dispatch_message *message,
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
        return dispatch_give_up(context, message, out);
    }
    reply_expect(worker, message->origin);
    return 0;
}

enum dispatch_led dispatch_lead(struct dispatch_context *context,
                                const struct dispatch_message *message,
                                const struct query_result *result, uint8_t *out, size_t *size)
{
    struct worker *worker = context->worker;
    uint8_t own[CNAME_TARGET_QUERY_MAX];
    struct span query = {own, cname_target_query(message->bytes, result->target, own)};
    *size = result->size;
    if (query.size == 0) {
        return DISPATCH_LED_ANSWER;
    }
    struct inflight_entry *entry = fill_entry(
        context, message, result,
        upstream_subnet_add_own(&worker->upstream_env, query, message->bytes, message->client));
    if (entry == NULL && message->origin->kind == ORIGIN_DATAGRAM) {
        return DISPATCH_LED_DROPPED;
    }
    if (entry != NULL) {
        entry->leads = true;
        entry->retry = true;
        entry->match = result->match;
        entry->aliased = result->alias.size > 0;
    }
    if (entry != NULL && send_entry(worker, entry)) {
        return DISPATCH_LED_AWAITS;
    }
    *size = dispatch_give_up(context, message, out);
    return DISPATCH_LED_ANSWER;
}
