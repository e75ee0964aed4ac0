/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One question judged: what explain_json and explain_text tell. The verdict comes from query_judge
 * over the query that such a client would send, so it is what the daemon does; place and orders
 * come from the functions it asks. Borrows generation and question.
 */
#pragma once

#include <stdio.h>

#include "forwarder/query.h"
#include "geo/locate.h"

struct explain_question;
struct generation;

enum explanation_verdict {
    EXPLANATION_FORWARD,
    EXPLANATION_BLOCK,  /* it does not go upstream, be it by an order or by the configuration */
    EXPLANATION_SHADOW, /* forwarded, and counted for an order whose action is shadow */
};

struct explanation {
    const struct generation *generation;
    const struct explain_question *question;
    struct location location;
    struct query_result result;
    uint8_t answer[BLOCK_ANSWER_MAX]; /* result.size octets of it, with QUERY_ANSWER */
    enum explanation_verdict verdict;

    struct policy_match shadow; /* the longest match of a shadow order */
    bool has_shadow;

    /* Every order that names the name, the most telling first; after explanation_collect. */
    struct policy_match *orders;
    size_t order_count;
    size_t order_capacity;
    bool memory_out;
};

/* Judges. False when memory is out; explanation_fini is due either way. */
bool explanation_init(struct explanation *explanation, const struct generation *generation,
                      const struct explain_question *question);

/* Finds every order of every country that names the name. False when memory is out. No orders when
 * the address could not be looked up: that is no country to judge them by. */
bool explanation_collect(struct explanation *explanation);

void explanation_fini(struct explanation *explanation);

/* "forward", "block" or "shadow". */
const char *explanation_verdict_name(enum explanation_verdict verdict);

/* The match of the order behind a block or a shadow; NULL when there is none. */
const struct policy_match *explanation_match(const struct explanation *explanation);

/* The name that a match is about: a suffix of the question's. Returns out. */
char *explanation_matched_name(const struct explanation *explanation,
                               const struct policy_match *match, char out[static DNAME_TEXT_MAX]);
