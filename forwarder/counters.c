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
        [COUNTER_UNMATCHED] = "unmatched_answers",
        [COUNTER_LOOKUP_FAILED] = "lookup_failed",
        [COUNTER_NOT_SERVED] = "not_served",
        [COUNTER_TCP_ACCEPTED] = "tcp_accepted",
        [COUNTER_TCP_REFUSED] = "tcp_refused",
        [COUNTER_TCP_OVERFLOW] = "tcp_overflow",
    };
    return names[counter];
}
