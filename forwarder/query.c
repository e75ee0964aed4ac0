/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The path of a query (see query.h). Scope before names: the client's country is known and found
 * out of every order's scope before a single octet of the question is looked at.
 */
#include "forwarder/query.h"

#include "forwarder/generation/generation.h"
#include "forwarder/order_answer.h"
#include "forwarder/query_seen.h"
#include "geo/geo_memo.h"
#include "libknot/consts.h"

static void answer(struct query_result *result, enum query_reason reason, size_t size)
{
    result->fate = QUERY_ANSWER;
    result->reason = reason;
    result->size = size;
}

static void forward(struct query_result *result, enum query_reason reason, bool retry)
{
    result->fate = QUERY_FORWARD;
    result->reason = reason;
    result->retry = retry;
}

/* An rcode for a message that may or may not have a readable question. */
static size_t rcode_answer(const struct query_env *env, struct query_seen *seen,
                           enum dns_rcode rcode, int info_code, uint8_t *out)
{
    if (!query_seen_question(seen)) {
        return block_header_only(&seen->block.header, rcode, out);
    }
    struct edns_cookie_env cookie = order_answer_cookie(env, &seen->client->address);
    return block_rcode(&seen->block, rcode, info_code, &cookie, out);
}

/* resolver-arpa: nodata. An in-scope client is not led to a resolver that applies no orders
 * (RFC 9462 section 4). Octets of the answer, or 0 if the name is not below resolver.arpa. */
static size_t answer_designated(const struct query_env *env, const struct query_seen *seen,
                                uint8_t *out)
{
    static const struct dname resolver_arpa = {.size = 15,
                                               .labels = 2,
                                               .wire = "\x08resolver\x04"
                                                       "arpa"};
    if (!env->generation->config->resolver_arpa_nodata ||
        !dname_within(&seen->qname, &resolver_arpa)) {
        return 0;
    }
    struct block_text what = {
        .kind = BLOCK_NODATA,
        .matched = (unsigned)(seen->qname.size - resolver_arpa.size),
        .ttl = env->generation->config->block.ttl_s,
        .rname = env->generation->soa_rname,
    };
    struct edns_cookie_env cookie = order_answer_cookie(env, &seen->client->address);
    return block_answer(&seen->block, &what, &cookie, out);
}

/* A query of an in-scope client with a readable question: does an order in force name it? */
static void handle_question(const struct query_env *env, struct query_seen *seen,
                            struct query_result *result, uint8_t *out)
{
    struct policy_client who = {seen->client->address, result->country};
    struct policy_question what = {
        .qname = &seen->qname,
        .qtype = seen->block.question.qtype,
        .now = env->now,
        .stream = seen->client->stream,
    };
    if (policy_decide(env->generation->policy, &who, &what, &result->match, env->on_shadow,
                      env->ctx) == POLICY_BLOCK) {
        query_seen_listed(env, seen, false, result, out);
        return;
    }
    size_t size = answer_designated(env, seen, out);
    if (size > 0) {
        answer(result, QUERY_DESIGNATED, size);
        return;
    }
    forward(result, QUERY_NOT_LISTED, true);
    result->reads_answer = policy_reads_answers(env->generation->policy, result->country, env->now);
}

/* A query of a client in a country that some order binds. */
static void handle_in_scope(const struct query_env *env, struct query_seen *seen,
                            struct query_result *result, uint8_t *out)
{
    const struct dns_header *header = &seen->block.header;
    if (dns_opcode(header) != DNS_OPCODE_QUERY || header->qdcount == 0) {
        forward(result, QUERY_NO_QUESTION, false);
        return;
    }
    if (!query_seen_name(seen)) {
        answer(result, QUERY_UNREADABLE, block_header_only(header, DNS_RCODE_FORMERR, out));
        return;
    }
    handle_question(env, seen, result, out);
}

void query_judge(const struct query_env *env, const struct query_client *client,
                 struct span message, struct query_result *result,
                 uint8_t out[static BLOCK_ANSWER_MAX])
{
    const struct generation *generation = env->generation;
    struct query_seen seen; /* filled as far as the path gets, no further */
    struct dns_header *header = &seen.block.header;
    seen.client = client;
    seen.message = message;
    *result = (struct query_result){.fate = QUERY_DROP, .reason = QUERY_MALFORMED};

    /* Is it a query at all? */
    if (!dns_header_decode(message, header) || (header->flags & DNS_FLAG_QR) != 0) {
        return;
    }
    /* Is this client served? */
    if (generation->config->allow != NULL &&
        !network_set_contains(generation->config->allow, &client->address)) {
        answer(result, QUERY_NOT_SERVED, rcode_answer(env, &seen, DNS_RCODE_REFUSED, -1, out));
        return;
    }
    if (dns_opcode(header) == DNS_OPCODE_DSO) {
        answer(result, QUERY_NOTIMP, block_header_only(header, DNS_RCODE_NOTIMP, out));
        return;
    }
    /* Where is it, and does any order bind that country? */
    result->located = geo_memo_find(env->memo, &client->address, &result->country);
    if (!result->located || !policy_in_scope(generation->policy, result->country, env->now)) {
        forward(result, QUERY_NOT_IN_SCOPE,
                dns_opcode(header) == DNS_OPCODE_QUERY && header->qdcount > 0);
        return;
    }
    handle_in_scope(env, &seen, result, out);
}

size_t query_unanswered(const struct query_env *env, const struct query_client *client,
                        struct span message, uint8_t out[static BLOCK_ANSWER_MAX])
{
    struct query_seen seen;
    seen.client = client;
    seen.message = message;
    if (!dns_header_decode(message, &seen.block.header)) {
        return 0;
    }
    return rcode_answer(env, &seen, DNS_RCODE_SERVFAIL, KNOT_EDNS_EDE_NETWORK, out);
}
