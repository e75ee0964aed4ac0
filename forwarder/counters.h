/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What happened, as numbers: one set a worker, written by that worker alone and read by whoever
 * reports. Adding is a plain load and store, no locked instruction.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "forwarder/histogram.h"
#include "forwarder/wire/dns.h"
#include "geo/country.h"

#define COUNTERS_TRANSPORTS 5U /* indexes: enum config_transport */

/* Indexes: rcodes that a header has room for (RFC 1035), and of the extended ones (RFC 6891) those
 * that say something of a message: the others stand in TSIG and TKEY records alone (RFC 6895). */
#define COUNTERS_RCODES_HEADER 16U
#define COUNTERS_RCODE_BADVERS 16U
#define COUNTERS_RCODE_BADCOOKIE 17U
#define COUNTERS_RCODES 18U

enum counter {
    COUNTER_QUERIES,         /* messages of clients, of any kind; counted by transport alone */
    COUNTER_FORWARDED,       /* sent upstream for a client */
    COUNTER_BLOCKED,         /* an order decided; drops included */
    COUNTER_BLOCKED_ANSWERS, /* of these, because of what upstream's answer held */
    COUNTER_WOULD_BLOCK,     /* orders with action shadow that matched */
    COUNTER_ANSWERED,        /* answers of upstreams handed to clients */
    COUNTER_ANSWERS_READ, /* judged by what they hold: their clients are in scope of such orders */
    COUNTER_ANSWERS_UNREADABLE, /* of these, forwarded though they could not be read to their end */
    COUNTER_SERVFAIL,           /* nobody answered in time */
    COUNTER_FORMERR,            /* made here */
    COUNTER_DROPPED, /* queries given no answer: malformed, in-flight full, socket full, over a
                      * rate limit, from a port where answers go round */
    COUNTER_IN_FLIGHT_FULL,      /* of these, because the in-flight table was full */
    COUNTER_RETRIED,             /* asked of another server */
    COUNTER_UPSTREAM_UNVERIFIED, /* handshakes with a TLS server given up: its certificate */
    COUNTER_SUBNET_REFUSED,      /* asked again without the client's network (send-client: ecs) */
    COUNTER_UNMATCHED,     /* answers of upstreams that matched no query: wrong ID or question */
    COUNTER_LOOKUP_FAILED, /* the country lookup erred; no order was applied */
    COUNTER_NOT_SERVED,    /* REFUSED: not in `allow` */
    COUNTER_RATE_DROPPED,  /* of the dropped: over a rate-limit, over UDP */
    COUNTER_RATE_SLIPPED,  /* answered with TC=1 alone: likewise */
    COUNTER_RATE_QUERIES,  /* over rate-limit.queries, in whatever way they came */
    COUNTER_LOOP_PORTS,    /* of the dropped: datagrams from a port that answers anything */
    COUNTER_TCP_ACCEPTED,
    COUNTER_TCP_REFUSED,     /* closed at once: tcp-per-client, or nobody could give way */
    COUNTER_TCP_REAPED,      /* closed for another: tcp-connections, over QUIC too */
    COUNTER_TCP_OVERFLOW,    /* closed: stream-output, over QUIC too */
    COUNTER_TLS_ACCEPTED,    /* handshakes of TLS that clients completed */
    COUNTER_TLS_RESUMED,     /* of these, by a session ticket */
    COUNTER_TLS_FAILED,      /* handshakes that broke, or took too long, or were too many */
    COUNTER_PROXY_UNTRUSTED, /* datagrams and connections to a listener with proxy-protocol, from a
                              * peer that may not send a PROXY header */
    COUNTER_PROXY_MALFORMED, /* from one that may, and did not send one that can be read in time */
    COUNTER_HTTPS_QUERIES,   /* requests that held a query */
    COUNTER_HTTPS_NOT_FOUND, /* requests for another path: 404 */
    COUNTER_HTTPS_FORWARDED_BAD, /* a trusted proxy did not say who asks: 400 */
    COUNTER_HTTPS_BAD,           /* requests with any other error */
    COUNTER_QUIC_ACCEPTED,       /* handshakes over QUIC that were completed */
    COUNTER_QUIC_REFUSED, /* closed at once: tcp-connections, tcp-per-client, too many handshakes */
    COUNTER_QUIC_RETRIED, /* clients that had to show that their address is theirs */
    COUNTER_QUIC_STRAY,   /* datagrams that belonged to nothing, or came from elsewhere */
    COUNTERS
};

struct counters_country {
    _Atomic uint64_t queries;
    _Atomic uint64_t blocked;
};

struct counters {
    _Atomic uint64_t value[COUNTERS];
    /* By transport: messages of clients; answers to them, a transfer being one; connections
     * that are open now, handshakes included; and how long it took from the batch that a query came
     * with until all of that batch that can be done at once was: forwarded, or answered. */
    _Atomic uint64_t queries[COUNTERS_TRANSPORTS];
    _Atomic uint64_t answers[COUNTERS_TRANSPORTS][COUNTERS_RCODES];
    _Atomic uint64_t connections[COUNTERS_TRANSPORTS];
    struct histogram own[COUNTERS_TRANSPORTS];
    struct counters_country country[COUNTRY_INDEXES];
};

/* The key under which status reports a counter; and what it counts, one sentence. */
const char *counters_name(enum counter counter);
const char *counters_help(enum counter counter);

/* What one worker has counted; may be called from any thread. */
uint64_t counters_read(const struct counters *counters, enum counter counter);

/* Adds what another set counted, whose owner counts no more, and has no connection any more. */
void counters_fold(struct counters *counters, const struct counters *from);

static inline void counters_bump(_Atomic uint64_t *value)
{
    atomic_store_explicit(value, atomic_load_explicit(value, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static inline void counters_add(struct counters *counters, enum counter counter)
{
    counters_bump(&counters->value[counter]);
}

/* A message of a client. */
static inline void counters_asked(struct counters *counters, unsigned transport)
{
    counters_bump(&counters->queries[transport]);
}

/* The index of a rcode whose upper bits are in an OPT, or are not there. */
unsigned counters_extended_rcode(struct span answer);

/* Could it be one of those? Such answers have no records but in their ADDITIONAL. */
static inline bool counters_may_be_extended(const uint8_t *answer)
{
    uint32_t records;
    unsigned rcode = answer[3] % COUNTERS_RCODES_HEADER;
    memcpy(&records, answer + 6, sizeof records); /* ANCOUNT and NSCOUNT */
    return records == 0 && (rcode == DNS_RCODE_BADVERS % COUNTERS_RCODES_HEADER ||
                            rcode == DNS_RCODE_BADCOOKIE % COUNTERS_RCODES_HEADER);
}

/* An answer, of which at least the header is there, for a client. */
static inline void counters_answered(struct counters *counters, unsigned transport,
                                     struct span answer)
{
    unsigned rcode = counters_may_be_extended(answer.bytes)
                         ? counters_extended_rcode(answer)
                         : answer.bytes[3] % COUNTERS_RCODES_HEADER;
    counters_bump(&counters->answers[transport][rcode]);
}

/* A batch of so many queries took so long. */
static inline void counters_took(struct counters *counters, unsigned transport, uint32_t us,
                                 uint32_t count)
{
    histogram_add(&counters->own[transport], us, count);
}

/* A connection was opened (1), or closed (-1). */
static inline void counters_connected(struct counters *counters, unsigned transport, int change)
{
    histogram_raise(&counters->connections[transport], (uint64_t)(int64_t)change);
}
