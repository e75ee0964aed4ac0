/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One question judged: what explain_json and explain_text tell. The verdict comes from query_judge
 * over the query that such a client would send, so it is what the daemon does; place and orders
 * come from the functions it asks. Borrows generation and question.
 */
#pragma once

#include "forwarder/query.h"
#include "geo/locate.h"

struct explain_link;
struct explain_question;
struct generation;

enum explanation_verdict {
    EXPLANATION_FORWARD,
    EXPLANATION_BLOCK,  /* not sent upstream, because of an order or of the configuration */
    EXPLANATION_SHADOW, /* forwarded, and counted for an order whose action is shadow */
};

struct explanation {
    const struct generation *generation;
    const struct explain_question *question;
    struct location location;
    struct query_result result;
    uint8_t answer[BLOCK_ANSWER_MAX];     /* result.size octets of it, of a CNAME its own part */
    uint8_t structured[BLOCK_ANSWER_MAX]; /* by an order, to a client that asks for structured
                                           * errors; structured_size octets, 0: none */
    size_t structured_size;
    enum explanation_verdict verdict;
    bool reads_answer; /* the query is forwarded, and what upstream says is looked at too */

    /* Of the question's links the one that decided, or NULL; and the name that the matches are
     * about: the link's, else the question's. */
    const struct explain_link *link;
    const struct dname *name;

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
