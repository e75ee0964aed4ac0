/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A message of a client as far as the path of a query has read it, and what becomes of one that an
 * order binds. Shared by the way there (query.h), the way back (query_answer.h) and what is sent in
 * place of either (dispatch_limit.h).
 */
#pragma once

#include "forwarder/query.h"

/* Reads the question behind the header; false if there is none that can be read. */
bool query_seen_question(struct query_seen *seen);

/* The same, and the qname in canonical form. */
bool query_seen_name(struct query_seen *seen);

/* Reads what only those who answer want to know, behind a question that was read: the OPT. */
void query_seen_opt(struct query_seen *seen);

/* Where result->match binds, whatever the OPT says: sets the rest of result, and out. in_answer: it
 * is of something in upstream's answer, not of the qname. */
void query_seen_listed(const struct query_env *env, struct query_seen *seen, bool in_answer,
                       struct query_result *result, uint8_t out[static BLOCK_ANSWER_MAX]);
