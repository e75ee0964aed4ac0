/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the way of a query (dispatch.c) and the way back of its answer (dispatch_answer.c) share:
 * for what it is judged and counted, the rate limit of what is made here, and asking upstream.
 * Nobody else includes this.
 */
#pragma once

#include "forwarder/dispatch.h"
#include "forwarder/dispatch_limit.h"
#include "forwarder/published.h"
#include "forwarder/upstream/inflight.h"
#include "forwarder/worker.h"

static inline struct published_share *dispatch_share(const struct dispatch_context *context)
{
    return &context->published->shares[context->worker->index];
}

/* For what was judged before: the generation and the time that counted then. */
void dispatch_resume(struct worker *worker, struct published *published, int64_t now,
                     struct dispatch_context *out);

/* An order decided. */
void dispatch_count_blocked(const struct dispatch_context *context,
                            const struct query_result *result);

/* One message of a client on its way. */
struct dispatch_message {
    const struct origin *origin;
    const struct query_client *client;
    struct span bytes;
};

/* Octets of an answer made here, size of them in out, that are sent: all, or what `rate-limit` lets
 * go in its place. */
static inline size_t dispatch_within_rate(const struct dispatch_context *context,
                                          const struct dispatch_message *message, size_t size,
                                          uint8_t *out)
{
    struct worker *worker = context->worker;
    return dispatch_limit_allows_answer(worker, message->client)
               ? size
               : dispatch_limit_slip(worker, message->client, message->bytes, out);
}

/* SERVFAIL: nobody could be asked, or nobody answered. Octets in out. */
size_t dispatch_give_up(struct dispatch_context *context, const struct dispatch_message *message,
                        uint8_t *out);

/* Asks upstream; octets of a SERVFAIL in out if nobody could be asked. */
size_t dispatch_ask(struct dispatch_context *context, const struct dispatch_message *message,
                    const struct query_result *result, uint8_t *out);

/* What becomes of a client that an order leads to another name. */
enum dispatch_led {
    DISPATCH_LED_AWAITS,  /* upstream was asked for it */
    DISPATCH_LED_DROPPED, /* there was no room in flight, and UDP needs no answer */
    DISPATCH_LED_ANSWER,  /* nothing was asked: an answer is in out */
};

/* Asks for the target of an order in place of the client's query. *size: of the CNAME alone in out,
 * which is the answer where the question asks for no more; DISPATCH_LED_ANSWER may change both. */
enum dispatch_led dispatch_lead(struct dispatch_context *context,
                                const struct dispatch_message *message,
                                const struct query_result *result, uint8_t *out, size_t *size);
