/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The limits of `rate-limit`: how many answers made here a network may be sent over plain UDP,
 * where the source of a query may be forged, and how many queries a client may ask. One for all
 * workers, so a limit is that of the whole process, whichever sockets a client's queries come to.
 *
 * Decides and counts; dispatch_limit.h knows what is sent instead. The limits come with each call,
 * from the configuration in force: a reload changes them, and what was counted stays.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct address;
struct config;
struct query_client;
struct rate_limit;

/* What counts as one network of answers, and as one client: of IPv6 the least that a subscriber
 * holds, as for tcp-per-client. A 6to4 address counts as the IPv4 address in it, since
 * the same client has both. */
#define RATE_LIMIT_ANSWERS_IPV4 24
#define RATE_LIMIT_ANSWERS_IPV6 56
#define RATE_LIMIT_QUERIES_IPV4 32
#define RATE_LIMIT_QUERIES_IPV6 64

/* NULL when memory is out, or the system gives no random numbers. */
struct rate_limit *rate_limit_new(void);
void rate_limit_free(struct rate_limit *limit); /* NULL is allowed */

/* Does this configuration limit anything? */
bool rate_limit_wanted(const struct config *config);

/* May an answer made here go to this client by plain UDP? Counts it if so. Always true for clients
 * that are exempt, or trusted to speak for others and so many clients at once. */
bool rate_limit_answer(struct rate_limit *limit, const struct config *config,
                       const struct address *client, uint64_t now_ms);

/* May the client ask once more? Counts it if so. Queries by plain UDP, whose sender may be forged,
 * are counted apart from those by a stream or QUIC, so that nobody can use up another's. */
bool rate_limit_query(struct rate_limit *limit, const struct config *config,
                      const struct query_client *client, uint64_t now_ms);
