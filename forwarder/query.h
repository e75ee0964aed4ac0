/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The path of a query: client → country → in scope? → question → verdict → answer made here, or
 * upstream. No sockets, no heap, no clock: the same code serves the daemon's workers and the
 * operator's tool.
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

/* Why. */
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
    int64_t now;    /* seconds since the epoch */
    int64_t waited; /* seconds since then, for an answer that upstream was asked for: what
                     * is answered ends with its order, whenever it leaves */
    policy_note_fn *on_shadow; /* told of POLICY_SHADOWS matches, to count them; and of others, in
                                * countries where an order is only counted */
    void *ctx;
};

/* The two ends of the exchange as the client sees it: what `send-client: proxy-protocol` and dnstap
 * tell. */
struct query_ends {
    struct address client;
    struct address server;
    uint16_t client_port; /* host byte order */
    uint16_t server_port;
};

struct query_client {
    struct address address; /* who asks: the peer, or whom a trusted PROXY or HTTP header tells */
    struct address subject; /* whose country counts: the same, or the first address of the network
                             * that a trusted ECS option tells */
    uint8_t spread;         /* how many bits at the end of the subject nobody told: 0 of an address,
                             * else the rest of a network's (on the 128 bits of struct address) */
    bool hidden;            /* nobody told any, and a proxy said so: what the message tells of it is
                             * not believed */
    bool stream;            /* not over plain UDP: answers may be as long as they like */
    const struct query_ends *ends; /* borrowed for the call; NULL where nobody wants to be told */
};

/* Does nobody know whose country counts? Then it is not looked up. */
static inline bool query_client_is_unknown(const struct query_client *client)
{
    return client->spread == 8 * sizeof client->subject.octet;
}

struct query_result {
    enum query_fate fate;
    enum query_reason reason;
    struct place place;         /* where the client is */
    bool located;               /* false: the lookup erred, no order binds */
    bool retry;                 /* QUERY_FORWARD: may be asked of several servers (opcode QUERY) */
    bool reads_answer;          /* QUERY_FORWARD: query_answer_judge is due */
    struct policy_match match;  /* QUERY_BLOCKED, QUERY_BAD_EDNS: which order */
    struct dname alias;         /* and the alias in an answer that it matched; else of size 0 */
    size_t size;                /* QUERY_ANSWER: octets in out; QUERY_CNAME: of the CNAME alone */
    const struct dname *target; /* QUERY_CNAME; of the generation. order_action_target says where it
                                 * leads */
};

/* A message as far as it was read: the header first, then, if it must be, the question. */
struct query_seen {
    const struct query_client *client;
    struct span message;
    struct block_query block; /* header; question after query_seen_question; the rest after
                               * query_seen_opt */
    struct dname qname;       /* after query_seen_name */
};

/* How far that is. */
enum query_stage {
    QUERY_STAGE_GATE,    /* no query, or not one that is forwarded for this client */
    QUERY_STAGE_OUTSIDE, /* no order binds where it comes from */
    QUERY_STAGE_INSIDE,  /* some may, and there is no name to judge */
    QUERY_STAGE_NAME,    /* there is */
};

/* A message read, and not judged yet. Large: set as far as stage says. */
struct query_read {
    struct query_seen seen;
    enum query_stage stage;
    bool located;
    struct place place;
    struct policy_prepared prepared; /* its name */
};

/* Reads a message and asks memory, without waiting for it, for what the next step looks at: a batch
 * takes each step together. Borrows client and message. */
void query_read(const struct query_env *env, const struct query_client *client, struct span message,
                struct query_read *out);

/* Sees how much of its name lists may hold, and asks memory for that. May be left out. */
void query_sift(const struct query_env *env, struct query_read *read);

/* Judges what was read under the same env. out needs room for BLOCK_ANSWER_MAX octets. */
void query_decide(const struct query_env *env, struct query_read *read, struct query_result *result,
                  uint8_t out[static BLOCK_ANSWER_MAX]);

/* All three. */
void query_judge(const struct query_env *env, const struct query_client *client,
                 struct span message, struct query_result *result,
                 uint8_t out[static BLOCK_ANSWER_MAX]);

/* SERVFAIL with EDE 23 for a query that upstream did not answer; octets written. */
size_t query_unanswered(const struct query_env *env, const struct query_client *client,
                        struct span message, uint8_t out[static BLOCK_ANSWER_MAX]);
