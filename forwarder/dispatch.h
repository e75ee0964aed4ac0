/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A worker's side of a query: judge it, count it, and then answer or forward it; and the way back,
 * from an upstream's answer to the client it belongs to. Between the sockets and the path itself
 * (query.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "forwarder/block.h"
#include "forwarder/query.h"
#include "forwarder/upstream/upstream_env.h"

struct origin;
struct published;
struct stream_transfer;
struct worker;

/* For what messages that came together are judged and counted: the generation, the time. It stays
 * where it is, and is good until the worker's loop goes on. */
struct dispatch_context {
    struct worker *worker;
    struct published *published;
    struct query_env env;       /* the path's side of it; shadow orders are counted here */
    bool trusts_ecs;            /* some client may tell by ECS whose country counts */
    bool shadowed;              /* one was, of the message at hand */
    struct policy_match shadow; /* the first of them */
};

/* What is in force now. */
void dispatch_begin(struct worker *worker, struct dispatch_context *out);

/* Handles one message of a client. Octets of the answer that was written to out and is to be sent
 * now; 0 if the message was forwarded or dropped. */
size_t dispatch_query(struct worker *worker, const struct origin *origin,
                      const struct query_client *client, struct span bytes,
                      uint8_t out[static BLOCK_ANSWER_MAX]);

/* The same in two steps, for messages that came together: each is read first, then handled, with
 * nothing else done between. The client may be told anew, by the message itself (ECS of a trusted
 * peer). Borrows client and bytes. */
void dispatch_take_ecs(const struct dispatch_context *context, struct query_client *client,
                       struct span bytes);
static inline void dispatch_read(const struct dispatch_context *context,
                                 struct query_client *client, struct span bytes,
                                 struct query_read *out)
{
    if (context->trusts_ecs) {
        dispatch_take_ecs(context, client, bytes);
    }
    query_read(&context->env, client, bytes, out);
}
size_t dispatch_prepared(struct dispatch_context *context, const struct origin *origin,
                         struct query_read *read, uint8_t out[static BLOCK_ANSWER_MAX]);

/* SERVFAIL for a message that nobody answered; octets written. Counts it. */
size_t dispatch_unanswered(struct worker *worker, const struct query_client *client,
                           struct span message, uint8_t out[static BLOCK_ANSWER_MAX]);

/* Judges one message of a transfer. QUERY_FORWARD: it is for the client as it is. Else the transfer
 * is blocked, and counted so: with QUERY_ANSWER (and QUERY_CNAME) size octets in out are for the
 * client instead. */
enum query_fate dispatch_transfer(struct worker *worker, const struct stream_transfer *running,
                                  struct span message, uint8_t out[static BLOCK_ANSWER_MAX],
                                  size_t *size);

/* What upstreams call: answers go back to their origins. */
struct upstream_events dispatch_events(struct worker *worker);
