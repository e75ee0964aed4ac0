/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The path of a query, readable in one screen: client → country → in scope? → question → verdict →
 * answer made here, or upstream. No sockets, no heap, no clock: the same function serves the
 * daemon's workers and the operator's tool.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "forwarder/block.h"
#include "geo/address.h"
#include "geo/country.h"
#include "policy/policy.h"

struct geo_memo;
struct generation;

enum query_fate {
    QUERY_FORWARD, /* the message goes upstream as it is */
    QUERY_ANSWER,  /* out holds the answer */
    QUERY_CNAME,   /* the target goes upstream; the client gets a CNAME to it, and what it says */
    QUERY_DROP,    /* no answer */
};

/* Why; one counter each. */
enum query_reason {
    QUERY_NOT_IN_SCOPE, /* forwarded, its name never read */
    QUERY_NOT_LISTED,   /* forwarded after a look at the question, or the answer to it */
    QUERY_ANSWER_CUT,  /* of an answer: it cannot be read to its end, and nothing in it is listed */
    QUERY_NO_QUESTION, /* forwarded: no question, or an opcode other than QUERY */
    QUERY_BLOCKED,     /* answered or dropped by an order, or led to the target of one */
    QUERY_UNREADABLE,  /* in scope, FORMERR */
    QUERY_BAD_EDNS,    /* listed, two OPTs: FORMERR; version above 0: BADVERS */
    QUERY_NOTIMP,      /* opcode 6 */
    QUERY_NOT_SERVED,  /* the client is not in `allow`: REFUSED */
    QUERY_DESIGNATED,  /* resolver-arpa: nodata */
    QUERY_MALFORMED,   /* QR=1 or shorter than a header: dropped */
};

struct query_env {
    const struct generation *generation;
    struct geo_memo *memo;
    int64_t now;               /* seconds since the epoch */
    policy_note_fn *on_shadow; /* told of POLICY_SHADOWS matches, to count them */
    void *ctx;
};

struct query_client {
    struct address address; /* whose country counts */
    bool stream;            /* came over a stream */
};

struct query_result {
    enum query_fate fate;
    enum query_reason reason;
    struct country country;
    bool located;               /* false: the lookup erred, no order binds */
    bool retry;                 /* QUERY_FORWARD: may be asked of several servers (opcode QUERY) */
    bool reads_answer;          /* QUERY_FORWARD: query_answer_judge is due */
    struct policy_match match;  /* QUERY_BLOCKED, QUERY_BAD_EDNS: which order */
    size_t size;                /* QUERY_ANSWER: octets in out; QUERY_CNAME: of the CNAME alone */
    const struct dname *target; /* QUERY_CNAME; of the generation */
};

/* Judges one message. out needs room for BLOCK_ANSWER_MAX octets. */
void query_judge(const struct query_env *env, const struct query_client *client,
                 struct span message, struct query_result *result,
                 uint8_t out[static BLOCK_ANSWER_MAX]);

/* SERVFAIL with EDE 23 for a query that upstream did not answer; octets written. */
size_t query_unanswered(const struct query_env *env, const struct query_client *client,
                        struct span message, uint8_t out[static BLOCK_ANSWER_MAX]);
