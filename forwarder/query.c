/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The path of a query (see query.h). Scope before names: the client's country is known and found
 * out of every order's scope before a single octet of the question is looked at.
 */
#include "forwarder/query.h"

#include <string.h>

#include "forwarder/generation/generation.h"
#include "geo/geo_memo.h"
#include "libknot/consts.h"

/* "Blocked by order " + id + " of " + authority, each within its own bound. */
#define QUERY_EXTRA_TEXT_MAX 512

/* A message as far as it has been read: the header first, then, if it must be, the question. */
struct query_seen {
    const struct query_client *client;
    struct span message;
    struct block_query block;
    struct dname qname;
};

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

/* The part of an address that goes into a server cookie: 4 or 16 octets. */
static struct edns_cookie_env cookie_env(const struct query_env *env, const struct address *address)
{
    bool ipv4 = address_is_ipv4(address);
    return (struct edns_cookie_env){
        .secret = env->generation->cookie_secret,
        .client = {address->octet + (ipv4 ? 12 : 0), ipv4 ? 4 : 16},
        .now = (uint32_t)env->now,
    };
}

/* Reads question and OPT behind the header; false if there is no readable question. */
static bool read_question(struct query_seen *seen)
{
    if (dns_question_decode(seen->message, &seen->block.question) != DNS_QUESTION_ONE) {
        return false;
    }
    seen->block.stream = seen->client->stream;
    edns_query_decode(seen->message, &seen->block.question, &seen->block.edns);
    return true;
}

/* An rcode for a message that may or may not have a readable question. */
static size_t rcode_answer(const struct query_env *env, struct query_seen *seen,
                           enum dns_rcode rcode, int info_code, uint8_t *out)
{
    if (!read_question(seen)) {
        return block_header_only(&seen->block.header, rcode, out);
    }
    struct edns_cookie_env cookie = cookie_env(env, &seen->client->address);
    return block_rcode(&seen->block, rcode, info_code, &cookie, out);
}

/* Offset in a qname of its suffix with this many labels. */
static unsigned suffix_offset(const struct dname *qname, unsigned labels)
{
    unsigned at = 0;
    for (unsigned skip = qname->labels - labels; skip > 0; skip--) {
        at += qname->wire[at] + 1U;
    }
    return at;
}

static void append(char *out, size_t *size, const char *text)
{
    size_t len = strnlen(text, QUERY_EXTRA_TEXT_MAX - *size);
    memcpy(out + *size, text, len);
    *size += len;
}

/* The text that tells a person which order it was; empty for an order that must not be told. */
static struct span extra_text(const struct order *order, char out[static QUERY_EXTRA_TEXT_MAX])
{
    size_t size = 0;
    if (!order->disclose) {
        return (struct span){NULL, 0};
    }
    if (order->message_count > 0) {
        const char *message = order->messages[0].text;
        return (struct span){(const uint8_t *)message, strlen(message)};
    }
    append(out, &size, "Blocked by order ");
    append(out, &size, order->id);
    append(out, &size, " of ");
    append(out, &size, order->authority);
    return (struct span){(const uint8_t *)out, size};
}

/* An answer must not outlive the order that made it. */
static uint32_t order_ttl(const struct order *order, uint32_t ttl, int64_t now)
{
    if (order->end == ORDER_FOR_GOOD || order->end - now >= (int64_t)ttl) {
        return ttl;
    }
    return order->end > now ? (uint32_t)(order->end - now) : 0;
}

static size_t addresses_of(const struct order *order, struct block_address *out)
{
    for (size_t i = 0; i < order->address_count; i++) {
        bool ipv4 = address_is_ipv4(&order->addresses[i]);
        out[i].size = ipv4 ? 4 : 16;
        memcpy(out[i].octet, order->addresses[i].octet + (ipv4 ? 12 : 0), out[i].size);
    }
    return order->address_count;
}

static enum block_kind kind_of(enum order_action action)
{
    switch (action) {
    case ORDER_NXDOMAIN:
        return BLOCK_NXDOMAIN;
    case ORDER_NODATA:
        return BLOCK_NODATA;
    case ORDER_ADDRESS:
        return BLOCK_ADDRESS;
    case ORDER_REFUSED:
    case ORDER_CNAME:
    case ORDER_DROP:
    case ORDER_SHADOW:
    case ORDER_TCP_ONLY:
    case ORDER_LOCAL:
        break;
    }
    return BLOCK_REFUSED;
}

/* The answer of the order that the match names. */
static size_t block(const struct query_env *env, const struct query_seen *seen,
                    const struct policy_match *match, uint8_t *out)
{
    const struct generation *generation = env->generation;
    const struct order *order = policy_order(generation->policy, match->order);
    enum order_action action = policy_match_action(generation->policy, match);
    char text[QUERY_EXTRA_TEXT_MAX];
    struct block_address addresses[ORDER_ADDRESSES_MAX];
    struct block_text what = {
        .kind = kind_of(action),
        .matched = suffix_offset(&seen->qname, match->labels),
        .ttl = order_ttl(order, generation->config->block.ttl_s, env->now),
        .rname = generation->soa_rname,
        .addresses = addresses,
        .address_count = addresses_of(order, addresses),
        .info_code = action == ORDER_ADDRESS ? KNOT_EDNS_EDE_FORGED : KNOT_EDNS_EDE_CENSORED,
        .has_error = true,
        .extra_text = extra_text(order, text),
    };
    struct edns_cookie_env cookie = cookie_env(env, &seen->client->address);
    return block_answer(&seen->block, &what, &cookie, out);
}

/* A listed name, whatever its OPT says. */
static void handle_listed(const struct query_env *env, const struct query_seen *seen,
                          struct query_result *result, uint8_t *out)
{
    const struct edns_query *edns = &seen->block.edns;
    struct edns_cookie_env cookie = cookie_env(env, &seen->client->address);
    if (edns->several) {
        answer(result, QUERY_BAD_EDNS,
               block_rcode(&seen->block, DNS_RCODE_FORMERR, -1, &cookie, out));
        return;
    }
    if (edns->present && edns->version > 0) {
        answer(result, QUERY_BAD_EDNS,
               block_rcode(&seen->block, DNS_RCODE_BADVERS, -1, &cookie, out));
        return;
    }
    if (policy_match_action(env->generation->policy, &result->match) == ORDER_DROP) {
        result->fate = QUERY_DROP;
        result->reason = QUERY_BLOCKED;
        return;
    }
    answer(result, QUERY_BLOCKED, block(env, seen, &result->match, out));
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
        .matched = suffix_offset(&seen->qname, resolver_arpa.labels),
        .ttl = env->generation->config->block.ttl_s,
        .rname = env->generation->soa_rname,
    };
    struct edns_cookie_env cookie = cookie_env(env, &seen->client->address);
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
    };
    if (policy_decide(env->generation->policy, &who, &what, &result->match, env->on_shadow,
                      env->ctx) == POLICY_BLOCK) {
        handle_listed(env, seen, result, out);
        return;
    }
    size_t size = answer_designated(env, seen, out);
    if (size > 0) {
        answer(result, QUERY_DESIGNATED, size);
        return;
    }
    forward(result, QUERY_NOT_LISTED, true);
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
    if (!read_question(seen) || !dname_decode(seen->block.question.qname.bytes,
                                              seen->block.question.qname.size, &seen->qname)) {
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
