/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reading a query, and answering one that an order binds (see query_seen.h).
 */
#include "forwarder/query_seen.h"

#include "forwarder/order_answer.h"

bool query_seen_question(struct query_seen *seen)
{
    return dns_question_decode(seen->message, &seen->block.question) == DNS_QUESTION_ONE;
}

bool query_seen_name(struct query_seen *seen)
{
    const struct span *qname = &seen->block.question.qname;
    return query_seen_question(seen) && dname_decode(qname->bytes, qname->size, &seen->qname);
}

void query_seen_opt(struct query_seen *seen)
{
    seen->block.stream = seen->client->stream;
    edns_query_decode(seen->message, &seen->block.question, &seen->block.edns);
}

static void refuse_edns(const struct query_env *env, const struct query_seen *seen,
                        enum dns_rcode rcode, struct query_result *result, uint8_t *out)
{
    struct edns_cookie_env cookie = order_answer_cookie(env, &seen->client->address);
    result->fate = QUERY_ANSWER;
    result->reason = QUERY_BAD_EDNS;
    result->size = block_rcode(&seen->block, rcode, -1, &cookie, out);
}

void query_seen_listed(const struct query_env *env, struct query_seen *seen, bool in_answer,
                       struct query_result *result, uint8_t out[static BLOCK_ANSWER_MAX])
{
    const struct edns_query *edns = &seen->block.edns;
    query_seen_opt(seen);
    if (edns->several) {
        refuse_edns(env, seen, DNS_RCODE_FORMERR, result, out);
        return;
    }
    if (edns->present && edns->version > 0) {
        refuse_edns(env, seen, DNS_RCODE_BADVERS, result, out);
        return;
    }
    struct order_answer_query query = {
        .block = &seen->block,
        .qname = &seen->qname,
        .client = &seen->client->address,
        .in_answer = in_answer,
    };
    order_answer(env, &query, &result->match, result, out);
    result->reason = QUERY_BLOCKED;
}
