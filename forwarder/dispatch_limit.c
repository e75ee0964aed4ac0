/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rate limits on a worker's path (see dispatch_limit.h).
 */
#include "forwarder/dispatch_limit.h"

#include "forwarder/config/config.h"
#include "forwarder/generation/generation.h"
#include "forwarder/order_answer.h"
#include "forwarder/published.h"
#include "forwarder/query_seen.h"
#include "forwarder/rate_limit.h"

static const struct config *config_of(const struct worker *worker)
{
    return worker->published->generation->config;
}

bool dispatch_limit_counts_answer(struct worker *worker, const struct query_client *client)
{
    return rate_limit_answer(worker->shared->rate_limit, config_of(worker), &client->address,
                             worker->clock.ms);
}

bool dispatch_limit_counts_query(struct worker *worker, const struct query_read *read)
{
    return rate_limit_query(worker->shared->rate_limit, config_of(worker), read->seen.client,
                            worker->clock.ms);
}

/* Which ones slip is left to chance: were they counted, a flood could be timed so that the slips
 * are all its own. */
static bool slips(struct worker *worker)
{
    uint32_t one_of = worker->rates->slip;
    return one_of > 0 && random_pool_below(&worker->random, one_of) == 0;
}

/* The question with TC=1, and an OPT without options for an OPT: a cookie may be longer than the
 * query's. 0 if there is no question that can be read, or NOERROR would say that something was done
 * (NOTIFY, UPDATE). */
static size_t truncated(const struct query_client *client, struct span query, uint8_t *out)
{
    struct query_seen seen = {.client = client, .message = query};
    static const struct edns_cookie_env no_cookie;
    if (!dns_header_decode(query, &seen.block.header) ||
        dns_opcode(&seen.block.header) != DNS_OPCODE_QUERY || !query_seen_question(&seen)) {
        return 0;
    }
    query_seen_opt(&seen);
    seen.block.edns.cookie = (struct span){0};
    size_t size = block_rcode(&seen.block, DNS_RCODE_NOERROR, -1, &no_cookie, out);
    out[2] |= DNS_FLAG_TC >> 8;
    return size;
}

size_t dispatch_limit_slip(struct worker *worker, const struct query_client *client,
                           struct span query, uint8_t out[static BLOCK_ANSWER_MAX])
{
    size_t size = slips(worker) ? truncated(client, query, out) : 0;
    if (size > 0) {
        counters_add(&worker->counters, COUNTER_RATE_SLIPPED);
    } else {
        counters_add(&worker->counters, COUNTER_RATE_DROPPED);
        counters_add(&worker->counters, COUNTER_DROPPED);
    }
    return size;
}

static size_t refused(struct worker *worker, const struct query_read *read, uint8_t *out)
{
    const struct query_client *client = read->seen.client;
    const struct query_env env = {.generation = worker->published->generation,
                                  .now = worker->clock.seconds};
    struct query_seen seen = read->seen;
    if (!query_seen_question(&seen)) {
        return block_header_only(&seen.block.header, DNS_RCODE_REFUSED, out);
    }
    query_seen_opt(&seen);
    struct edns_cookie_env cookie = order_answer_cookie(&env, &client->address);
    return block_rcode(&seen.block, DNS_RCODE_REFUSED, -1, &cookie, out);
}

size_t dispatch_limit_refuse(struct worker *worker, const struct query_read *read,
                             unsigned transport, uint8_t out[static BLOCK_ANSWER_MAX])
{
    const struct query_client *client = read->seen.client;
    struct counters *counters = &worker->counters;
    counters_asked(counters, transport);
    counters_add(counters, COUNTER_RATE_QUERIES);
    counters_bump(&counters->country[country_index(read->place.country)].queries);
    return client->stream ? refused(worker, read, out)
                          : dispatch_limit_slip(worker, client, read->seen.message, out);
}
