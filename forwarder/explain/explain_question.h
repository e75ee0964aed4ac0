/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a person asks of `bailiwick test`: would this client get an answer for this name, at this
 * time? From text, typed at the operator's tool, in a batch file or sent over the control socket,
 * to a value; and from that value to the query such a client would send. Judges nothing.
 */
#pragma once

#include <stdint.h>

#include "forwarder/wire/dns.h"
#include "geo/address.h"
#include "geo/problem.h"
#include "policy/dname.h"

/* What upstream's answer is supposed to lead to. */
struct explain_link {
    bool is_name;
    struct dname name;
    struct address address; /* where it is none */
};

#define EXPLAIN_LINKS_MAX 16

struct explain_question {
    struct address address; /* the client's */
    struct dname name;
    uint16_t type;
    int64_t now; /* the instant to judge at, seconds since the epoch */
    size_t link_count;
    struct explain_link links[EXPLAIN_LINKS_MAX]; /* in the order of the answer */
};

/* Reads what a person writes: a name is any domain name, with U-labels or in presentation format
 * (RFC 1035 section 5.1) with its escapes; a type is "AAAA" or "TYPE65280", NULL for A. out->now is
 * left to the caller, and no links are set. False with one sentence in why. */
bool explain_question_parse(struct explain_question *out, const char *address, const char *name,
                            const char *type, char why[static WHY_MAX]);

/* Adds a link, an address or else a name as above, behind those that are there. False with one
 * sentence in why, also when there are too many. */
bool explain_question_add_link(struct explain_question *question, const char *text,
                               char why[static WHY_MAX]);

/* Reads an RFC 3339 date-time, or a date, which means its midnight in UTC. */
bool explain_question_time(const char *text, int64_t *out, char why[static WHY_MAX]);

/* Header, question, an empty OPT (RFC 6891 section 6.1.2) and one empty option. */
#define EXPLAIN_QUESTION_MAX (DNS_HEADER_SIZE + DNS_QUESTION_MAX + 11 + 4)

/* The query: ID 0, RD=1, an OPT that offers EDNS_UDP_SIZE, and structured: asks for structured
 * errors (EDNS_OPTION_SDE). Returns its octets. */
size_t explain_question_encode(const struct explain_question *question, bool structured,
                               uint8_t out[static EXPLAIN_QUESTION_MAX]);

/* Header, question and one record. */
#define EXPLAIN_LINK_MAX (DNS_HEADER_SIZE + DNS_QUESTION_MAX + 2 + 10 + DNS_NAME_MAX)

/* An answer to that query that holds this link alone: a CNAME, an A or an AAAA record of the name
 * asked for. Returns its octets. */
size_t explain_question_encode_link(const struct explain_question *question,
                                    const struct explain_link *link,
                                    uint8_t out[static EXPLAIN_LINK_MAX]);
