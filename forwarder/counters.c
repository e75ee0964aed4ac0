/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The counters by name: `key` in `bailiwick status`, bailiwick_key_total among the metrics; sums.
 */
#include "forwarder/counters.h"

#include "forwarder/wire/opt_record.h"

static const struct {
    const char *name;
    const char *help;
} rows[COUNTERS] = {
    [COUNTER_QUERIES] = {"queries", "Messages of clients, of any kind."},
    [COUNTER_FORWARDED] = {"forwarded", "Queries that were sent upstream."},
    [COUNTER_BLOCKED] = {"blocked", "Queries that an order decided, those it drops included."},
    [COUNTER_BLOCKED_ANSWERS] = {"blocked_answers",
                                 "Of the blocked, those for what the answer of upstream held."},
    [COUNTER_WOULD_BLOCK] = {"would_block", "Matches of orders with action shadow."},
    [COUNTER_ANSWERED] = {"answered", "Answers of upstream that were handed to clients."},
    [COUNTER_ANSWERS_READ] = {"answers_read",
                              "Answers of upstream that were judged by what they hold."},
    [COUNTER_ANSWERS_UNREADABLE] =
        {"answers_unreadable",
         "Of the answers read, those forwarded though they could not be read to their end."},
    [COUNTER_SERVFAIL] = {"servfail", "SERVFAIL made here: nobody answered in time."},
    [COUNTER_FORMERR] = {"formerr", "FORMERR and BADVERS made here."},
    [COUNTER_DROPPED] =
        {"dropped", "Queries given no answer: malformed, or more than a limit or a socket takes."},
    [COUNTER_IN_FLIGHT_FULL] = {"in_flight_full",
                                "Of the dropped, those because limits.in-flight was reached."},
    [COUNTER_RETRIED] = {"retried", "Times that another server was asked too."},
    [COUNTER_UPSTREAM_UNVERIFIED] = {"upstream_unverified",
                                     "TLS handshakes with upstream given up: its certificate."},
    [COUNTER_SUBNET_REFUSED] = {"subnet_refused",
                                "Queries asked again without the network of the client."},
    [COUNTER_UNMATCHED] = {"unmatched_answers", "Answers of upstream that matched no query."},
    [COUNTER_LOOKUP_FAILED] = {"lookup_failed",
                               "Country look-ups that erred: no order was applied."},
    [COUNTER_NOT_SERVED] = {"not_served", "Queries refused: the client is not in allow."},
    [COUNTER_LOOP_PORTS] = {"loop_ports",
                            "Of the dropped, datagrams from a port that answers anything."},
    [COUNTER_RATE_DROPPED] = {"rate_limited_dropped", "Of the dropped, those over a rate-limit."},
    [COUNTER_RATE_SLIPPED] = {"rate_limited_slipped", "Over a rate-limit: answered with TC alone."},
    [COUNTER_RATE_QUERIES] = {"rate_limited_queries", "Queries over rate-limit.queries."},
    [COUNTER_TCP_ACCEPTED] = {"tcp_accepted",
                              "Stream connections that were accepted, TLS and HTTPS included."},
    [COUNTER_TCP_REFUSED] =
        {"tcp_refused", "Stream connections closed at once: tcp-per-client, or none gave way."},
    [COUNTER_TCP_REAPED] = {"tcp_reaped",
                            "Connections closed for another at tcp-connections, over QUIC too."},
    [COUNTER_TCP_OVERFLOW] = {"tcp_overflow", "Connections closed: stream-output, over QUIC too."},
    [COUNTER_TLS_ACCEPTED] = {"tls_accepted", "TLS handshakes that clients completed."},
    [COUNTER_TLS_RESUMED] = {"tls_resumed", "Of the TLS handshakes, those by a session ticket."},
    [COUNTER_TLS_FAILED] = {"tls_handshake_failed",
                            "TLS handshakes that broke, took too long, or were too many."},
    [COUNTER_PROXY_UNTRUSTED] =
        {"proxy_untrusted", "Datagrams and connections of peers that may not send a PROXY header."},
    [COUNTER_PROXY_MALFORMED] = {"proxy_malformed",
                                 "Datagrams and connections without a readable PROXY header."},
    [COUNTER_HTTPS_QUERIES] = {"https_queries", "HTTP requests that held a query."},
    [COUNTER_HTTPS_NOT_FOUND] = {"https_not_found", "HTTP requests for another path: 404."},
    [COUNTER_HTTPS_FORWARDED_BAD] =
        {"https_forwarded_bad", "HTTP requests of a trusted proxy that did not say who asks: 400."},
    [COUNTER_HTTPS_BAD] = {"https_bad", "HTTP requests with any other error."},
    [COUNTER_QUIC_ACCEPTED] = {"quic_accepted", "QUIC handshakes that were completed."},
    [COUNTER_QUIC_REFUSED] = {"quic_refused", "QUIC connections closed at once: too many."},
    [COUNTER_QUIC_RETRIED] = {"quic_retried",
                              "QUIC clients that had to show that their address is theirs."},
    [COUNTER_QUIC_STRAY] = {"quic_stray", "QUIC datagrams that belonged to nothing."},
};

const char *counters_name(enum counter counter)
{
    return rows[counter].name;
}

const char *counters_help(enum counter counter)
{
    return rows[counter].help;
}

static uint64_t load(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

uint64_t counters_read(const struct counters *counters, enum counter counter)
{
    uint64_t sum = load(&counters->value[counter]);
    for (unsigned i = 0; counter == COUNTER_QUERIES && i < COUNTERS_TRANSPORTS; i++) {
        sum += load(&counters->queries[i]);
    }
    return sum;
}

unsigned counters_extended_rcode(struct span answer)
{
    struct opt_record opt;
    unsigned rcode = answer.bytes[3] % COUNTERS_RCODES_HEADER;
    if (opt_record_find(answer, &opt) == OPT_RECORD_ONE) {
        unsigned whole = (opt.record.ttl >> 24) * COUNTERS_RCODES_HEADER + rcode;
        return whole == DNS_RCODE_BADVERS     ? COUNTERS_RCODE_BADVERS
               : whole == DNS_RCODE_BADCOOKIE ? COUNTERS_RCODE_BADCOOKIE
                                              : rcode;
    }
    return rcode;
}

static void fold(_Atomic uint64_t *value, const _Atomic uint64_t *from)
{
    histogram_raise(value, load(from));
}

void counters_fold(struct counters *counters, const struct counters *from)
{
    for (size_t i = 0; i < COUNTERS; i++) {
        fold(&counters->value[i], &from->value[i]);
    }
    for (size_t i = 0; i < COUNTERS_TRANSPORTS; i++) {
        fold(&counters->queries[i], &from->queries[i]);
        for (size_t rcode = 0; rcode < COUNTERS_RCODES; rcode++) {
            fold(&counters->answers[i][rcode], &from->answers[i][rcode]);
        }
        histogram_fold(&counters->own[i], &from->own[i]);
    }
    for (size_t i = 0; i < COUNTRY_INDEXES; i++) {
        fold(&counters->country[i].queries, &from->country[i].queries);
        fold(&counters->country[i].blocked, &from->country[i].blocked);
    }
}
