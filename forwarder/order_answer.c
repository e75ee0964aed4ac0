/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The texts, addresses and TTLs of orders, put together for block.h (see order_answer.h).
 */
#include "forwarder/order_answer.h"

#include <assert.h>

#include "forwarder/generation/generation.h"
#include "forwarder/generation/order_texts.h"
#include "libknot/consts.h"

static_assert(ORDER_TEXT_MAX <= BLOCK_ANSWER_MAX, "no text is longer than any answer");

/* The part of an address that goes into a server cookie: 4 or 16 octets. */
struct edns_cookie_env order_answer_cookie(const struct query_env *env,
                                           const struct address *client)
{
    bool ipv4 = address_is_ipv4(client);
    return (struct edns_cookie_env){
        .secret = env->generation->cookie_secret,
        .client = {client->octet + (ipv4 ? 12 : 0), ipv4 ? 4 : 16},
        .now = (uint32_t)env->now,
    };
}

/* Where in the qname the owner of the SOA begins: the matched suffix, or the qname itself where it
 * is not a name of the order that matched it. */
static unsigned owner_offset(const struct order_answer_query *query,
                             const struct policy_match *match)
{
    unsigned at = 0;
    if (query->in_answer || match->trigger == POLICY_CLIENT || match->trigger == POLICY_ANSWER) {
        return 0;
    }
    for (unsigned skip = query->qname->labels - match->labels; skip > 0; skip--) {
        at += query->qname->wire[at] + 1U;
    }
    return at;
}

/* EXTRA-TEXT of an answer, whole and shortened; borrowed. */
struct texts {
    struct span whole;
    struct span shortened;
};

/* Which message of the order? The DNS has no way to say which language a client reads, so it is the
 * first; a transport that has one (Accept-Language of HTTP) chooses here. */
static struct texts texts_of(const struct order_texts *texts, bool structured)
{
    const struct order_text *text = &texts->by_message[0];
    return structured ? (struct texts){text->structured, text->shortened}
                      : (struct texts){.whole = text->plain};
}

/* An answer must not outlive what made it. */
static uint32_t ttl_until(int64_t end, uint32_t ttl, int64_t now)
{
    if (end == ORDER_FOR_GOOD || end - now >= (int64_t)ttl) {
        return ttl;
    }
    return end > now ? (uint32_t)(end - now) : 0;
}

static bool asks_for(const struct dns_question *question, uint16_t type)
{
    return question->qtype == type || question->qtype == DNS_TYPE_ANY;
}

/* A record of a client's choosing is not one of the class CH. */
static bool asks_for_internet(const struct dns_question *question)
{
    return question->qclass == DNS_CLASS_IN || question->qclass == DNS_CLASS_ANY;
}

/* The records of an answer; they borrow their data, or it stands beside them. */
struct records {
    struct block_record record[BLOCK_RECORDS_MAX];
    size_t count;
    struct dname lead; /* of the record that is a CNAME */
};

static void add_record(struct records *records, uint16_t type, const uint8_t *data, size_t size)
{
    if (records->count < BLOCK_RECORDS_MAX) {
        records->record[records->count++] = (struct block_record){type, {data, size}};
    }
}

/* A and AAAA, whatever else the question asks for has none. */
static void add_addresses(struct records *records, const struct order *order, uint16_t qtype)
{
    for (size_t i = 0; i < order->address_count; i++) {
        const struct address *address = &order->addresses[i];
        bool ipv4 = address_is_ipv4(address);
        uint16_t type = ipv4 ? DNS_TYPE_A : DNS_TYPE_AAAA;
        if (type == qtype) {
            add_record(records, type, address->octet + (ipv4 ? 12 : 0), ipv4 ? 4 : 16);
        }
    }
}

static void add_local(struct records *records, const struct order_rule *rule,
                      const struct dns_question *question)
{
    for (size_t i = 0; i < rule->record_count; i++) {
        const struct order_rule_record *record = &rule->records[i];
        if (asks_for(question, record->type)) {
            add_record(records, record->type, record->data, record->size);
        }
    }
}

static const struct dname *target_of(const struct order *order, const struct policy_match *match)
{
    return match->rule != NULL ? &match->rule->target : &order->target;
}

static void add_lead(struct records *records, const struct dname *target, const struct dname *qname)
{
    if (order_action_target(target, qname, &records->lead)) {
        add_record(records, DNS_TYPE_CNAME, records->lead.wire, records->lead.size);
    }
}

/* What the action puts into ANSWER for this question. */
static void collect(struct records *records, const struct order_answer_query *query,
                    const struct order *order, const struct policy_match *match,
                    enum order_action action)
{
    const struct dns_question *question = &query->block->question;
    records->count = 0;
    if (action == ORDER_CNAME) {
        add_lead(records, target_of(order, match), query->qname);
    } else if (action == ORDER_ADDRESS && asks_for_internet(question)) {
        add_addresses(records, order, question->qtype);
    } else if (action == ORDER_LOCAL && match->rule != NULL && asks_for_internet(question)) {
        add_local(records, match->rule, question);
    }
}

static enum block_kind kind_of(enum order_action action, const struct records *records)
{
    switch (action) {
    case ORDER_NXDOMAIN:
        return BLOCK_NXDOMAIN;
    case ORDER_NODATA:
        return BLOCK_NODATA;
    case ORDER_CNAME:
        return records->count > 0 ? BLOCK_RECORDS : BLOCK_YXDOMAIN;
    case ORDER_ADDRESS:
    case ORDER_LOCAL:
        return records->count > 0 ? BLOCK_RECORDS : BLOCK_NODATA;
    case ORDER_TCP_ONLY:
        return BLOCK_TRUNCATED;
    case ORDER_REFUSED:
    case ORDER_DROP:
    case ORDER_SHADOW:
        break;
    }
    return BLOCK_REFUSED;
}

static bool is_forged(enum order_action action)
{
    return action == ORDER_ADDRESS || action == ORDER_CNAME || action == ORDER_LOCAL;
}

/* What is answered where an action is due, and what that borrows. */
struct answer {
    struct block_text text;
    struct records records;
};

static void draft_answer(struct answer *answer, const struct query_env *env,
                         const struct order_answer_query *query, const struct policy_match *match,
                         enum order_action action)
{
    const struct generation *generation = env->generation;
    const struct config_block *config = &generation->config->block;
    const struct order *order = policy_order(generation->policy, match->order);
    struct texts texts = texts_of(&generation->texts[match->order], query->block->edns.structured);
    collect(&answer->records, query, order, match, action);
    answer->text = (struct block_text){
        .kind = kind_of(action, &answer->records),
        .matched = owner_offset(query, match),
        .ttl = ttl_until(match->end, config->ttl_s, env->now + env->waited),
        .rname = generation->soa_rname,
        .records = answer->records.record,
        .record_count = answer->records.count,
        .info_code = is_forged(action) ? KNOT_EDNS_EDE_FORGED : KNOT_EDNS_EDE_CENSORED,
        .has_error = action != ORDER_TCP_ONLY,
        .extra_text = texts.whole,
        .short_text = texts.shortened,
    };
}

/* The action for this query. A client that asks for structured errors gets no forged answers
 * (draft-ietf-dnsop-structured-dns-error section 5.2), and none gets NXDOMAIN where names below the
 * qname may be free. */
static enum order_action action_for(const struct query_env *env,
                                    const struct order_answer_query *query,
                                    const struct policy_match *match)
{
    enum order_action action = policy_match_action(env->generation->policy, match);
    if (is_forged(action) && query->block->edns.structured) {
        action = ORDER_NXDOMAIN;
    }
    bool free_below = query->in_answer || match->free_below;
    return action == ORDER_NXDOMAIN && free_below ? ORDER_NODATA : action;
}

void order_answer(const struct query_env *env, const struct order_answer_query *query,
                  const struct policy_match *match, struct query_result *result,
                  uint8_t out[static BLOCK_ANSWER_MAX])
{
    enum order_action action = action_for(env, query, match);
    if (action == ORDER_DROP) {
        result->fate = QUERY_DROP;
        return;
    }
    struct answer answer;
    struct edns_cookie_env cookie;
    bool has_cookie = query->block->edns.cookie.size > 0; /* hardly any has */
    if (has_cookie) {
        cookie = order_answer_cookie(env, query->client);
    }
    draft_answer(&answer, env, query, match, action);
    result->fate = QUERY_ANSWER;
    if (action == ORDER_CNAME && answer.text.kind == BLOCK_RECORDS &&
        !asks_for(&query->block->question, DNS_TYPE_CNAME)) {
        result->fate = QUERY_CNAME;
        result->target = target_of(policy_order(env->generation->policy, match->order), match);
    }
    result->size = block_answer(query->block, &answer.text, has_cookie ? &cookie : NULL, out);
}

size_t order_answer_cname(const struct query_env *env, const struct order_answer_query *query,
                          const struct policy_match *match, const struct block_tail *tail,
                          struct span_writer *out)
{
    struct answer answer;
    struct edns_cookie_env cookie = order_answer_cookie(env, query->client);
    draft_answer(&answer, env, query, match, ORDER_CNAME);
    return block_cname(query->block, &answer.text, &cookie, tail, out);
}
