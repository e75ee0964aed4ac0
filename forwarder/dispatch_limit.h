/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A worker's side of `rate-limit` (rate_limit.h): what may go on, and what is sent in place of what
 * may not. Without such limits in the configuration each question here is one look at a pointer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forwarder/block.h"
#include "forwarder/query.h"
#include "forwarder/worker.h"

bool dispatch_limit_counts_answer(struct worker *worker, const struct query_client *client);
bool dispatch_limit_counts_query(struct worker *worker, const struct query_read *read);

/* May an answer that is made here go to this client? Only over plain UDP it might not: elsewhere
 * the client has shown that his address is his. */
static inline bool dispatch_limit_allows_answer(struct worker *worker,
                                                const struct query_client *client)
{
    return worker->rates == NULL || client->stream || dispatch_limit_counts_answer(worker, client);
}

/* May this query be judged at all? Only what would be judged is counted. */
static inline bool dispatch_limit_allows_query(struct worker *worker, const struct query_read *read)
{
    return worker->rates == NULL || read->stage == QUERY_STAGE_GATE ||
           dispatch_limit_counts_query(worker, read);
}

/* In place of an answer over plain UDP: for one of `slip` such queries octets in out, the question
 * with TC=1, so that an honest client comes by a stream; never more than the query had. Else 0: no
 * answer. Counts which. */
size_t dispatch_limit_slip(struct worker *worker, const struct query_client *client,
                           struct span query, uint8_t out[static BLOCK_ANSWER_MAX]);

/* In place of judging a query: the above; over a stream or QUIC REFUSED. Counts it. */
size_t dispatch_limit_refuse(struct worker *worker, const struct query_read *read,
                             unsigned transport, uint8_t out[static BLOCK_ANSWER_MAX]);
