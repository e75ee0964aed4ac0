/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is done about a client that does not read its answers, be it over TCP, TLS, HTTPS or QUIC. A
 * burst may leave much unread for a moment, however willing the client is: it waits for the loop to
 * write it, and for windows that the client has yet to open. So the limit (limits.stream-output) is
 * not judged when an answer comes, but by what the client reads in a time:
 *
 *   nothing unread       tcp-idle
 *   not over the limit   tcp-idle, in which it must read anything at all
 *   over the limit       UNREAD_MS, or tcp-idle if that is less; it must come below the limit, or
 *                        read an eighth of it. This time runs on, whatever the client asks and is
 *                        answered meanwhile.
 *   UNREAD_TIMES it      closed at once
 *
 * How the octets are counted, and the timer that ends a time, are the connection's business: here
 * are only numbers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNREAD_MS 2000U
#define UNREAD_PART 8U  /* of the limit must be read in that time: an eighth */
#define UNREAD_TIMES 8U /* times the limit may be unread */
#define UNREAD_MUCH 4U  /* a fourth of it makes a client slow */

/* A connection's octets, beside those that are unread now, which each call is told. */
struct unread {
    uint64_t read;    /* ever, by the client: the owner adds to it */
    uint64_t read_by; /* of these, when its time last began */
    bool over;        /* and whether it was over the limit then */
};

struct unread_limit {
    size_t octets; /* stream-output */
    size_t beyond; /* may be unread as well before the client is over the limit */
};

/* Its time begins anew; false: it is over the limit as it was before, and its time runs on. */
bool unread_begin(struct unread *unread, size_t octets, const struct unread_limit *limit);

/* The same for a client that has read as it must, or need not: it always has a new time. */
void unread_renew(struct unread *unread, size_t octets, const struct unread_limit *limit);

/* When its time is over: has the client read as much as it must? With nothing unread it has nothing
 * to read, which is false. */
bool unread_reads(const struct unread *unread, size_t octets, const struct unread_limit *limit);

/* How long the time is of one who is over the limit. */
unsigned unread_time_ms(unsigned idle_ms);

/* Would so much be unread, with an answer of this size, that no time helps? A single answer may
 * always wait. */
bool unread_is_too_much(size_t octets, size_t answer, size_t limit);

/* Is so much unread that the client counts as slow: it is not spared, nor given more than it has
 * asked for so far? */
static inline bool unread_is_much(size_t octets, size_t limit)
{
    return octets * UNREAD_MUCH >= limit; /* a limit need not be a multiple of four */
}
