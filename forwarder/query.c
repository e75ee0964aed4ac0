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
    query_seen_opt(seen);
    struct edns_cookie_env cookie = order_answer_cookie(env, &seen->client->address);
    return block_rcode(&seen->block, rcode, info_code, &cookie, out);
}

/* resolver-arpa: nodata. An in-scope client is not led to a resolver that applies no orders
 * (RFC 9462 section 4). Octets of the answer, or 0 if the name is not below resolver.arpa. */
static size_t answer_designated(const struct query_env *env, struct query_seen *seen, uint8_t *out)
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
    query_seen_opt(seen);
    return block_answer(&seen->block, &what, &cookie, out);
}

/* A query of an in-scope client with a readable question: does an order in force name it? */
static void decide_name(const struct query_env *env, struct query_read *read,
                        struct query_result *result, uint8_t *out)
{
    const struct policy *policy = env->generation->policy;
    struct query_seen *seen = &read->seen;
    struct policy_client who = {seen->client->subject, result->place.country, result->place.within,
                                seen->client->spread};
    struct policy_question what = {
        .qname = &seen->qname,
        .qtype = seen->block.question.qtype,
        .now = env->now,
        .prepared = &read->prepared,
        .stream = seen->client->stream,
    };
    bool counts = policy_has_shadows(policy, result->place.country, env->now);
    if (policy_decide(policy, &who, &what, &result->match, counts ? env->on_shadow : NULL,
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
    result->reads_answer = policy_reads_answers(policy, &result->place, env->now);
}

static bool has_question(const struct dns_header *header)
{
    return dns_opcode(header) == DNS_OPCODE_QUERY && header->qdcount > 0;
}

/* Is the client served? */
static bool may_ask(const struct query_env *env, const struct query_client *client)
{
    const struct network_set *allow = env->generation->config->allow;
    return allow == NULL || network_set_contains(allow, &client->address);
}

/* False if the lookup erred. */
static bool find_place(const struct query_env *env, const struct query_client *client,
                       struct place *place)
{
    if (query_client_is_unknown(client)) {
        *place = PLACE_UNKNOWN;
        return true;
    }
    if (client->spread > 0) {
        return geo_memo_find_network(env->memo, &client->subject, client->spread, place);
    }
    return geo_memo_find(env->memo, &client->subject, place);
}

void query_read(const struct query_env *env, const struct query_client *client, struct span message,
                struct query_read *out)
{
    const struct policy *policy = env->generation->policy;
    const struct dns_header *header = &out->seen.block.header;
    out->seen.client = client;
    out->seen.message = message;
    out->stage = QUERY_STAGE_GATE;

    /* Is it a query at all, of a client that is served? */
    if (!dns_header_decode(message, &out->seen.block.header) ||
        (header->flags & DNS_FLAG_QR) != 0 || !may_ask(env, client) ||
        dns_opcode(header) == DNS_OPCODE_DSO) {
        return;
    }
    /* Where is it, and does any order bind clients there? */
    out->stage = QUERY_STAGE_OUTSIDE;
    out->located = find_place(env, client, &out->place);
    if (!out->located || !policy_in_scope(policy, &out->place, env->now)) {
        return;
    }
    /* What does it ask? */
    out->stage = QUERY_STAGE_INSIDE;
    if (has_question(header) && query_seen_name(&out->seen)) {
        out->stage = QUERY_STAGE_NAME;
        policy_prepare(policy, out->place.country, &out->seen.qname, &out->prepared);
    }
}

void query_sift(const struct query_env *env, struct query_read *read)
{
    const struct policy *policy = env->generation->policy;
    if (read->stage == QUERY_STAGE_NAME && policy_has_large_lists(policy)) {
        policy_sift(policy, read->place.country, &read->prepared);
    }
}

/* What is not forwarded, whoever asks, and what is for nobody who is not served. */
static void decide_gate(const struct query_env *env, struct query_seen *seen,
                        struct query_result *result, uint8_t *out)
{
    const struct dns_header *header = &seen->block.header;
    if (seen->message.size < DNS_HEADER_SIZE || (header->flags & DNS_FLAG_QR) != 0) {
        return;
    }
    if (!may_ask(env, seen->client)) {
        answer(result, QUERY_NOT_SERVED, rcode_answer(env, seen, DNS_RCODE_REFUSED, -1, out));
    } else {
        answer(result, QUERY_NOTIMP, block_header_only(header, DNS_RCODE_NOTIMP, out));
    }
}

void query_decide(const struct query_env *env, struct query_read *read, struct query_result *result,
                  uint8_t out[static BLOCK_ANSWER_MAX])
{
    const struct dns_header *header = &read->seen.block.header;
    const bool placed = read->stage != QUERY_STAGE_GATE;
    /* One by one: match and size, most of it, are set where they mean something. */
    result->fate = QUERY_DROP;
    result->reason = QUERY_MALFORMED;
    result->place = placed ? read->place : PLACE_UNKNOWN;
    result->located = placed && read->located;
    result->retry = false;
    result->reads_answer = false;
    result->size = 0;
    result->target = NULL;
    result->alias.size = 0;
    switch (read->stage) {
    case QUERY_STAGE_GATE:
        decide_gate(env, &read->seen, result, out);
        break;
    case QUERY_STAGE_OUTSIDE:
        forward(result, QUERY_NOT_IN_SCOPE, has_question(header));
        break;
    case QUERY_STAGE_INSIDE:
        if (has_question(header)) {
            answer(result, QUERY_UNREADABLE, block_header_only(header, DNS_RCODE_FORMERR, out));
        } else {
            forward(result, QUERY_NO_QUESTION, false);
        }
        break;
    case QUERY_STAGE_NAME:
        decide_name(env, read, result, out);
        break;
    }
}

void query_judge(const struct query_env *env, const struct query_client *client,
                 struct span message, struct query_result *result,
                 uint8_t out[static BLOCK_ANSWER_MAX])
{
    struct query_read read;
    query_read(env, client, message, &read);
    query_sift(env, &read);
    query_decide(env, &read, result, out);
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
