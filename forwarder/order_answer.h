/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a client gets where an order binds: from a match to the octets of an answer, or to what else
 * becomes of the query. For a question that an order names, and for one whose answer from upstream
 * holds what an order names. Decides no match (policy/policy.h), knows no layout (block.h). No
 * heap, no sockets, no clock.
 */
#pragma once

#include "forwarder/query.h"

/* The query that a match is about. */
struct order_answer_query {
    const struct block_query *block;
    const struct dname *qname;
    const struct address *client;
    bool in_answer; /* the match is of an alias or address in upstream's answer, not of the qname */
};

/* Sets fate, size and target of the result, and nothing else of it:
 *
 *   QUERY_ANSWER   out holds the answer
 *   QUERY_CNAME    target is to be asked upstream, and what it says goes to the client behind a
 *                  CNAME (order_answer_cname); out holds the CNAME alone, for when it cannot be
 *   QUERY_DROP     no answer
 *
 * A match in an answer says nothing of names below the qname: the qname owns the SOA, and nxdomain
 * becomes nodata. No TTL reaches past the end of the match. */
void order_answer(const struct query_env *env, const struct order_answer_query *query,
                  const struct policy_match *match, struct query_result *result,
                  uint8_t out[static BLOCK_ANSWER_MAX]);

/* The answer for a match that was QUERY_CNAME, once upstream has said what it knows of the target;
 * env, query and match as they were then. See block_cname for size and what is left out. */
size_t order_answer_cname(const struct query_env *env, const struct order_answer_query *query,
                          const struct policy_match *match, const struct block_tail *tail,
                          struct span_writer *out);

/* What server cookies for this client are made from; borrows the address. */
struct edns_cookie_env order_answer_cookie(const struct query_env *env,
                                           const struct address *client);
