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

struct explain_question {
    struct address address; /* the client's */
    struct dname name;
    uint16_t type;
    int64_t now; /* the instant to judge at, seconds since the epoch */
};

/* Reads what a person writes: a name is any domain name, with U-labels or in presentation format
 * (RFC 1035 section 5.1) with its escapes; a type is "AAAA" or "TYPE65280", NULL for A. out->now is
 * left to the caller. False with one sentence in why. */
bool explain_question_parse(struct explain_question *out, const char *address, const char *name,
                            const char *type, char why[static WHY_MAX]);

/* Reads an RFC 3339 date-time, or a date, which means its midnight in UTC. */
bool explain_question_time(const char *text, int64_t *out, char why[static WHY_MAX]);

/* Header, question and an empty OPT (RFC 6891 section 6.1.2). */
#define EXPLAIN_QUESTION_MAX (DNS_HEADER_SIZE + DNS_QUESTION_MAX + 11)

/* The query: ID 0, RD=1, an OPT that offers EDNS_UDP_SIZE. Returns its octets. */
size_t explain_question_encode(const struct explain_question *question,
                               uint8_t out[static EXPLAIN_QUESTION_MAX]);
