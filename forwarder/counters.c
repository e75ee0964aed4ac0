/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Names of the counters, as `bailiwick status` prints them.
 */
#include "forwarder/counters.h"

const char *counters_name(enum counter counter)
{
    static const char *const names[COUNTERS] = {
        [COUNTER_QUERIES] = "queries",
        [COUNTER_FORWARDED] = "forwarded",
        [COUNTER_BLOCKED] = "blocked",
        [COUNTER_BLOCKED_ANSWERS] = "blocked_answers",
        [COUNTER_WOULD_BLOCK] = "would_block",
        [COUNTER_ANSWERED] = "answered",
        [COUNTER_ANSWERS_READ] = "answers_read",
        [COUNTER_ANSWERS_UNREADABLE] = "answers_unreadable",
        [COUNTER_SERVFAIL] = "servfail",
        [COUNTER_FORMERR] = "formerr",
        [COUNTER_DROPPED] = "dropped",
        [COUNTER_IN_FLIGHT_FULL] = "in_flight_full",
        [COUNTER_RETRIED] = "retried",
        [COUNTER_UPSTREAM_UNVERIFIED] = "upstream_unverified",
        [COUNTER_SUBNET_REFUSED] = "subnet_refused",
        [COUNTER_UNMATCHED] = "unmatched_answers",
        [COUNTER_LOOKUP_FAILED] = "lookup_failed",
        [COUNTER_NOT_SERVED] = "not_served",
        [COUNTER_TCP_ACCEPTED] = "tcp_accepted",
        [COUNTER_TCP_REFUSED] = "tcp_refused",
        [COUNTER_TCP_OVERFLOW] = "tcp_overflow",
        [COUNTER_TLS_ACCEPTED] = "tls_accepted",
        [COUNTER_TLS_RESUMED] = "tls_resumed",
        [COUNTER_TLS_FAILED] = "tls_handshake_failed",
        [COUNTER_PROXY_UNTRUSTED] = "proxy_untrusted",
        [COUNTER_PROXY_MALFORMED] = "proxy_malformed",
        [COUNTER_HTTPS_QUERIES] = "https_queries",
        [COUNTER_HTTPS_NOT_FOUND] = "https_not_found",
        [COUNTER_HTTPS_FORWARDED_BAD] = "https_forwarded_bad",
        [COUNTER_HTTPS_BAD] = "https_bad",
        [COUNTER_QUIC_ACCEPTED] = "quic_accepted",
        [COUNTER_QUIC_REFUSED] = "quic_refused",
        [COUNTER_QUIC_RETRIED] = "quic_retried",
        [COUNTER_QUIC_STRAY] = "quic_stray",
    };
    return names[counter];
}
