/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Events for dnstap (see tap_query.h).
 */
#include "forwarder/tap_query.h"

#include <assert.h>
#include <time.h>

#include "forwarder/generation/generation.h"
#include "forwarder/origin.h"
#include "forwarder/published.h"
#include "forwarder/stream/stream_transfers.h"
#include "forwarder/tap/tap.h"
#include "forwarder/upstream/inflight.h"
#include "forwarder/upstream/transfer.h"
#include "forwarder/wire/dnstap.h"
#include "forwarder/worker.h"

#define POLICY_TYPE "order"

struct tap_query tap_query_of(const struct inflight_entry *entry)
{
    return (struct tap_query){
        .origin = &entry->origin,
        .client = &entry->client,
        .ends = &entry->ends,
        .message = inflight_client_query(entry),
        .generation = entry->published->generation,
        .arrived_ms = entry->arrived_ms,
    };
}

/* 4 or 16 octets. */
static struct span octets_of(const struct address *address)
{
    bool ipv4 = address_is_ipv4(address);
    return (struct span){address->octet + (ipv4 ? 12 : 0), ipv4 ? 4 : 16};
}

static enum dnstap_protocol protocol_of(const struct origin *origin)
{
    static const enum dnstap_protocol protocols[] = {
        [CONFIG_TCP] = DNSTAP_TCP,
        [CONFIG_TLS] = DNSTAP_DOT,
        [CONFIG_HTTPS] = DNSTAP_DOH,
    };
    switch (origin->kind) {
    case ORIGIN_DATAGRAM:
        return DNSTAP_UDP;
    case ORIGIN_QUIC:
        return DNSTAP_DOQ;
    case ORIGIN_STREAM:
        break;
    }
    return protocols[origin->connection.transport];
}

/* Whom the message is of. The port of a proxy is not the client's. */
static void fill_ends(struct dnstap_event *event, const struct tap_query *query)
{
    const struct query_ends *ends = query->ends;
    event->client.address = octets_of(query->client);
    if (ends != NULL && address_equal(&ends->client, query->client)) {
        event->client.port = ends->client_port;
        event->server.address = octets_of(&ends->server);
        event->server.port = ends->server_port;
    }
}

static struct timespec earlier(struct timespec time, uint64_t by_ms)
{
    time.tv_sec -= (time_t)(by_ms / 1000);
    time.tv_nsec -= (long)(by_ms % 1000) * 1000000;
    if (time.tv_nsec < 0) {
        time.tv_sec--;
        time.tv_nsec += 1000000000;
    }
    return time;
}

static const struct dnstap_policy NO_POLICY;

static void tell(struct worker *worker, const struct tap_query *query,
                 enum dnstap_message_type type, struct span message,
                 const struct dnstap_policy *policy)
{
    struct timespec now;
    uint64_t clock_ms = worker->clock.ms;
    struct dnstap_event event = {
        .type = type,
        .protocol = protocol_of(query->origin),
        .message = message,
        .policy = *policy,
    };
    clock_gettime(CLOCK_REALTIME, &now); /* read from memory that the kernel shares */
    event.response_time = now;
    event.query_time =
        earlier(now, clock_ms > query->arrived_ms ? clock_ms - query->arrived_ms : 0);
    fill_ends(&event, query);
    tap_put(worker->tap, worker->index, &event);
}

static void tell_query(struct worker *worker, const struct tap_query *query,
                       const struct dnstap_policy *policy)
{
    tell(worker, query, DNSTAP_CLIENT_QUERY, query->message, policy);
}

static void tell_response(struct worker *worker, const struct tap_query *query, struct span answer,
                          const struct dnstap_policy *policy)
{
    tell(worker, query, DNSTAP_CLIENT_RESPONSE, answer, policy);
}

/* ---- Policies ---- */

/* A policy, and the name that its value may borrow. */
struct policy {
    struct dnstap_policy told;
    struct dname name;
};

static struct span text_of(const char *text)
{
    return (struct span){(const uint8_t *)text, strlen(text)};
}

/* What a client is done to by an answer that an order makes; empty: it is given none. dnstap has
 * no word for REFUSED, and none for errors. */
static enum dnstap_action action_of(struct span answer)
{
    struct dns_header header;
    if (!dns_header_decode(answer, &header)) {
        return DNSTAP_ACTION_DROP;
    }
    if (header.ancount > 0) {
        return DNSTAP_ACTION_LOCAL_DATA;
    }
    if ((header.flags & DNS_FLAG_TC) != 0) {
        return DNSTAP_ACTION_TRUNCATE;
    }
    switch (header.flags & DNS_RCODE_MASK) {
    case DNS_RCODE_NOERROR:
        return DNSTAP_ACTION_NODATA;
    case DNS_RCODE_NXDOMAIN:
        return DNSTAP_ACTION_NXDOMAIN;
    case DNS_RCODE_YXDOMAIN:
        return DNSTAP_ACTION_LOCAL_DATA;
    default:
        return DNSTAP_ACTION_UNNAMED;
    }
}

static enum dnstap_action action_of_result(const struct query_result *result, struct span answer)
{
    if (result->fate == QUERY_CNAME) {
        return DNSTAP_ACTION_LOCAL_DATA;
    }
    return result->reason == QUERY_BAD_EDNS ? DNSTAP_ACTION_UNNAMED : action_of(answer);
}

static void name_order(struct policy *out, const struct tap_query *query,
                       const struct policy_match *match, enum dnstap_action action)
{
    assert(query->generation != NULL); /* nothing else decides */
    out->told = (struct dnstap_policy){
        .type = text_of(POLICY_TYPE),
        .rule = text_of(policy_order(query->generation->policy, match->order)->id),
        .action = action,
    };
}

/* The matched suffix of a name, in wire format. */
static void name_suffix(struct policy *out, const struct dname *name, unsigned labels)
{
    dname_suffix(name, labels, &out->name);
    out->told.value = (struct span){out->name.wire, out->name.size};
}

/* What matched, where it was looked for: in the question (alias is NULL or of size 0), or in the
 * answer. dnstap has no word for an alias. */
static void name_match(struct policy *out, const struct tap_query *query,
                       const struct policy_match *match, const struct dname *alias)
{
    struct dns_question question;
    struct dname qname;
    switch (match->trigger) {
    case POLICY_NAME:
    case POLICY_ANY_TLD:
        if (alias != NULL && alias->size > 0) {
            name_suffix(out, alias, match->labels);
        } else if (dns_question_decode(query->message, &question) == DNS_QUESTION_ONE &&
                   dname_decode(question.qname.bytes, question.qname.size, &qname)) {
            out->told.match = DNSTAP_MATCH_QNAME;
            name_suffix(out, &qname, match->labels);
        }
        break;
    case POLICY_CLIENT:
        out->told.match = DNSTAP_MATCH_CLIENT_IP;
        out->told.value = octets_of(&match->network.base);
        break;
    case POLICY_ANSWER:
        out->told.match = DNSTAP_MATCH_RESPONSE_IP;
        out->told.value = octets_of(&match->network.base);
        break;
    }
}

/* ---- What happened ---- */

static bool is_blocked(const struct query_result *result)
{
    return result->reason == QUERY_BLOCKED || result->reason == QUERY_BAD_EDNS;
}

void tap_query_judged(struct worker *worker, const struct tap_query *query,
                      const struct query_result *result, struct span answer,
                      const struct policy_match *shadow)
{
    struct policy policy;
    bool blocked = is_blocked(result);
    policy.told = NO_POLICY;
    if (result->reason == QUERY_MALFORMED || (!blocked && !tap_wants_all(worker->tap))) {
        return;
    }
    if (blocked) {
        name_order(&policy, query, &result->match, action_of_result(result, answer));
        name_match(&policy, query, &result->match, NULL);
    } else if (shadow != NULL) {
        name_order(&policy, query, shadow, DNSTAP_ACTION_PASS);
        name_match(&policy, query, shadow, NULL);
    }
    tell_query(worker, query, &policy.told);
    if (answer.size > 0) {
        tell_response(worker, query, answer, &policy.told);
    }
}

void tap_query_stopped(struct worker *worker, const struct tap_query *query,
                       const struct query_result *result, struct span answer)
{
    struct policy policy;
    name_order(&policy, query, &result->match, action_of_result(result, answer));
    name_match(&policy, query, &result->match, &result->alias);
    /* With all, the query was told when it was asked: that it is dropped an empty response says. */
    bool all = tap_wants_all(worker->tap);
    if (!all) {
        tell_query(worker, query, &policy.told);
    }
    if (answer.size > 0 || (all && result->fate == QUERY_DROP)) {
        tell_response(worker, query, answer, &policy.told);
    }
}

void tap_query_answered(struct worker *worker, const struct tap_query *query, struct span answer)
{
    if (tap_wants_all(worker->tap)) {
        tell_response(worker, query, answer, &NO_POLICY);
    }
}

void tap_query_led(struct worker *worker, const struct inflight_entry *entry, struct span answer)
{
    struct tap_query query = tap_query_of(entry);
    struct policy policy;
    name_order(&policy, &query, &entry->match, DNSTAP_ACTION_LOCAL_DATA);
    if (!entry->aliased) { /* the alias is not known any more */
        name_match(&policy, &query, &entry->match, NULL);
    }
    tell_response(worker, &query, answer, &policy.told);
}

void tap_query_transfer(struct worker *worker, const struct stream_transfer *running,
                        struct span message, const struct query_result *result, const uint8_t *out)
{
    const struct origin origin = {.kind = ORIGIN_STREAM, .connection = running->origin};
    const struct published *published = transfer_mark(running->transfer)->published;
    struct tap_query query = {
        .origin = &origin,
        .client = transfer_client(running->transfer),
        .ends = transfer_ends(running->transfer),
        .message = transfer_query(running->transfer),
        .generation = published == NULL ? NULL : published->generation,
        .arrived_ms = worker->clock.ms,
    };
    if (result->fate == QUERY_FORWARD) {
        tap_query_answered(worker, &query, message);
    } else {
        tap_query_stopped(worker, &query, result, (struct span){out, result->size});
    }
}
