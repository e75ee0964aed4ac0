/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What happened, as numbers: one set a worker, written by that worker alone and read by whoever
 * reports. Adding is a plain load and store, no locked instruction.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "geo/country.h"

enum counter {
    COUNTER_QUERIES,         /* messages of clients, of any kind */
    COUNTER_FORWARDED,       /* sent upstream for a client */
    COUNTER_BLOCKED,         /* an order decided; drops included */
    COUNTER_BLOCKED_ANSWERS, /* of these, because of what upstream's answer held */
    COUNTER_WOULD_BLOCK,     /* orders with action shadow that matched */
    COUNTER_ANSWERED,        /* answers of upstreams handed to clients */
    COUNTER_ANSWERS_READ, /* judged by what they hold: their clients are in scope of such orders */
    COUNTER_ANSWERS_UNREADABLE, /* of these, forwarded though they could not be read to their end */
    COUNTER_SERVFAIL,           /* nobody answered in time */
    COUNTER_FORMERR,            /* made here */
    COUNTER_DROPPED,        /* queries given no answer: malformed, in-flight full, socket full */
    COUNTER_IN_FLIGHT_FULL, /* of these, because the in-flight table was full */
    COUNTER_RETRIED,        /* asked of another server */
    COUNTER_UPSTREAM_UNVERIFIED, /* handshakes with a TLS server given up: its certificate */
    COUNTER_SUBNET_REFUSED,      /* asked again without the client's network (send-client: ecs) */
    COUNTER_UNMATCHED,     /* answers of upstreams that matched no query: wrong ID or question */
    COUNTER_LOOKUP_FAILED, /* the country lookup erred; no order was applied */
    COUNTER_NOT_SERVED,    /* REFUSED: not in `allow` */
    COUNTER_TCP_ACCEPTED,
    COUNTER_TCP_REFUSED,     /* closed at once: tcp-connections or tcp-per-client */
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
    struct counters_country country[COUNTRY_INDEXES];
};

/* The key under which status reports a counter. */
const char *counters_name(enum counter counter);

static inline void counters_bump(_Atomic uint64_t *value)
{
    atomic_store_explicit(value, atomic_load_explicit(value, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static inline void counters_add(struct counters *counters, enum counter counter)
{
    counters_bump(&counters->value[counter]);
}
