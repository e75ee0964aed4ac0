/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * All orders of a generation, and the decision: which order binds this client for this name now?
 * Immutable; shared between threads without locks; freed by its owner.
 *
 * Scope before names: policy_in_scope() is asked first and reads no name. Names of order files go
 * into one map for the whole policy (rebuilt at each load, they are few); each list keeps its own
 * sealed map from load to load, and a query asks only the maps of lists whose order can bind its
 * country.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geo/address.h"
#include "geo/country.h"
#include "policy/order.h"
#include "policy/suffix_map.h"

struct policy;

/* Takes references of the orders (ids are unique). loaded is when the policy comes into force: who
 * had left a group by then is not in its scope. Everything else is judged by the time of each
 * query, so a clock that is set back loses no order. NULL when memory is out. */
struct policy *policy_new(struct order *const *orders, size_t count, uint64_t seed, int64_t loaded);
void policy_free(struct policy *policy); /* NULL is allowed */

/* Orders stand by precedence: earlier effective, then bytewise smaller id. */
size_t policy_order_count(const struct policy *policy);
const struct order *policy_order(const struct policy *policy, size_t index);

/* Is this order in force at now for anybody (status, effective, end, windows)? */
bool policy_order_in_force(const struct order *order, int64_t now);

/* How many names and labels the orders and their lists give, of any kind; one given twice counts
 * twice. For people. */
size_t policy_names(const struct policy *policy);

/* The earliest instant after now at which some active order begins or ends; ORDER_FOR_GOOD if there
 * is none. Windows and the dates of items are no such instants: the text in force stays the same.
 */
int64_t policy_next_change(const struct policy *policy, int64_t now);

/* Who asks. */
struct policy_client {
    struct address address;
    struct country country;     /* unknown is a country here; a failed lookup never gets this far */
    struct subdivisions within; /* the parts of the country it lies in, where they are known */
    uint8_t spread; /* how many bits at the end of the address are not known, which are zero: 0, or
                     * it is somewhere in that network. Then an order does not bind it where any
                     * address of the network is excepted, nor by its address where not all are. */
};

/* Does any active order that has not ended at now, begun or not, hold a client there in its scope:
 * its country, or a subdivision that it lies in? One comparison but for clients of countries of
 * which orders hold only parts; reads no name. */
bool policy_in_scope(const struct policy *policy, const struct place *place, int64_t now);

/* Why an order that names the qname does or does not bind this query. */
enum policy_binding {
    POLICY_BINDS,            /* it competes */
    POLICY_SHADOWS,          /* it would block, and is only counted */
    POLICY_OTHER_COUNTRY,    /* the client's country, or its part of it, is not in its scope */
    POLICY_EXCEPTED_NETWORK, /* except-networks or a passing RPZ-CLIENT-IP holds the client */
    POLICY_NOT_YET,          /* before effective */
    POLICY_ENDED,            /* at or after the end */
    POLICY_OUTSIDE_WINDOW,   /* in none of its windows */
    POLICY_ITEM_NOT_YET,     /* the item that names it has dates of its own: before them */
    POLICY_ITEM_ENDED,       /* or after them */
    POLICY_SUSPENDED,
    POLICY_LIFTED,
    POLICY_EXCEPTED_NAME, /* an exception of the order covers the name, or it passes */
    POLICY_LEFT_FREE,     /* DS or DNSKEY of a blocked name with free names below it */
    POLICY_LEFT_BY_TCP,   /* a rule of tcp-only, and the query came over a stream */
};

/* What of an order matched. */
enum policy_trigger {
    POLICY_NAME,    /* a name of the order is a suffix of the name judged */
    POLICY_ANY_TLD, /* so is one of its labels with a public suffix behind it */
    POLICY_CLIENT,  /* the client's address (RPZ-CLIENT-IP): every name is blocked */
    POLICY_ANSWER,  /* an address in the answer */
};

struct policy_match {
    size_t order; /* index in the policy */
    enum policy_trigger trigger;
    unsigned labels;               /* of the matched suffix of the name judged; else 0 */
    struct network network;        /* POLICY_CLIENT and POLICY_ANSWER: that matched */
    bool exact;                    /* matched as NAME_EXACT */
    bool below;                    /* matched as NAME_BELOW: by a name above it */
    bool free_below;               /* names below the qname are free of this order */
    const struct order_rule *rule; /* of a list of format rpz; NULL: the order's own action */
    const struct order_term *term; /* of the item that matched; NULL: that of the order */
    const char *ticket;            /* of the item that matched; NULL: none */
    int64_t end; /* from then on it does not bind as it does now: the order, the item or a window
                  * ends, or a dated item leaves free the name or, for the first time, one below */
    enum policy_binding binding;
};

/* Told of each order that names the qname, at its longest match; once an order. */
typedef void policy_note_fn(void *ctx, const struct policy_match *match);

enum policy_outcome {
    POLICY_PASS,  /* no order binds */
    POLICY_BLOCK, /* *match says which */
};

/* What is judged: the question itself, or one thing in the answer to it. There only orders that
 * look at such things compete, and an exception or a pass holds for the qname as well as for the
 * alias. */
struct policy_question {
    const struct dname *qname;
    uint16_t qtype;
    int64_t now; /* seconds since the epoch, UTC */
    const struct policy_prepared
        *prepared;                /* from qname and the client's country; NULL: it is not */
    bool stream;                  /* the query came over a stream */
    const struct dname *alias;    /* a CNAME, DNAME or SVCB target in the answer; else NULL */
    const struct address *answer; /* an address in the answer; else NULL */
};

/* Does any order that has not ended at now look at answers for a client there? As
 * cheap as policy_in_scope. */
bool policy_reads_answers(const struct policy *policy, const struct place *place, int64_t now);

/* Is any such order only counted (shadow)? Else nobody need be told of them. One comparison. */
bool policy_has_shadows(const struct policy *policy, struct country country, int64_t now);

/* A qname made ready for decisions about clients of one country. */
struct policy_prepared {
    struct suffix_keys keys;
    struct suffix_depths listed; /* how many labels of it a list may hold; at others none does */
};

/* What a decision looks at in large lists comes from memory slowly, and one thing tells where the
 * next one stands. So there are three steps, and each asks memory for what the next one reads
 * without waiting for it: several names that take a step one after the other wait at the same time.
 * The second one may be left out, and is where no list is large. */
void policy_prepare(const struct policy *policy, struct country country, const struct dname *qname,
                    struct policy_prepared *out);
void policy_sift(const struct policy *policy, struct country country,
                 struct policy_prepared *prepared);
bool policy_has_large_lists(const struct policy *policy);

/* The decision. Of the orders that bind, the longest matched name decides (of networks in an answer
 * the longest), then the earlier effective, then the bytewise smaller id. A client that an order
 * blocks by its address counts as the name of no labels. note (may be NULL) is told of orders in
 * force for this client that match, POLICY_SHADOWS above all; with it NULL shadows go unseen. No
 * allocation, no lock, no system call.
 *
 * Within an order the longest match counts. Of several at one length a name with all below it goes
 * before a label of any-tld, and that before a name alone; then the order file before its lists,
 * and those as they stand there; of items of the file the one that ends last. */
enum policy_outcome policy_decide(const struct policy *policy, const struct policy_client *client,
                                  const struct policy_question *question,
                                  struct policy_match *match, policy_note_fn *note, void *ctx);

/* The same decision by the same code, but every order of every country that names the qname is
 * told to note with its binding. For people, not for a query's path. */
enum policy_outcome policy_explain(const struct policy *policy, const struct policy_client *client,
                                   const struct policy_question *question,
                                   struct policy_match *match, policy_note_fn *note, void *ctx);

/* The action for a match: that of its rule, else the order's own; nxdomain becomes nodata where
 * free_below. An order whose action is shadow stays one, whatever its lists say. */
enum order_action policy_match_action(const struct policy *policy,
                                      const struct policy_match *match);

const char *policy_binding_text(enum policy_binding binding);
