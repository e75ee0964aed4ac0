/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The way back: is there something in upstream's answer that an order names? Asked only for
 * queries that were forwarded with reads_answer, so no answer to a client out of scope is
 * ever read. No sockets, no heap, no clock.
 */
#pragma once

#include "forwarder/query.h"

/* A query that was forwarded, and what came back. */
struct query_answer {
    struct query_client client;
    struct place place; /* as it was when the query was judged */
    struct span query;  /* as the client sent it */
    struct span answer; /* to exactly this query; judged whatever its rcode, TC bit and type */
};

/* Judges by the generation and time that the query was judged by. The first link of the answer
 * (answer_links.h) that an order in force names decides. QUERY_FORWARD: the answer goes to the
 * client as it is, with reason QUERY_ANSWER_CUT if it could not be read to its end. Else the client
 * gets what it would get had it asked for that name (order_answer.h). env->on_shadow is called once
 * for each order, and not for one that it was called for when the question was judged; env->memo is
 * not used. */
void query_answer_judge(const struct query_env *env, const struct query_answer *answer,
                        struct query_result *result, uint8_t out[static BLOCK_ANSWER_MAX]);

/* The way back of QUERY_CNAME: answer->answer is upstream's to cname_target_query, match the one
 * that led there. Writes what the client gets to the empty writer; octets written. 0 if
 * upstream's answer cannot be read, or is too long for a stream: then nobody has answered. Its
 * names and addresses are not judged: the order itself leads there. */
size_t query_answer_compose(const struct query_env *env, const struct query_answer *answer,
                            const struct policy_match *match, struct span_writer *out);
