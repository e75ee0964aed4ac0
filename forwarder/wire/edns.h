/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The OPT record of a query (RFC 6891): found by walking the sections behind the question, its
 * fields and the few options that Bailiwick acts on; and writing the one OPT of an answer made
 * here, with an Extended DNS Error (RFC 8914) and a server cookie (RFC 7873, RFC 9018).
 * Codes and numbers are libknot's constants. Pure: no clock, no heap, no sockets.
 */
#pragma once

#include "forwarder/wire/dns.h"
#include "forwarder/wire/ecs.h"

#define EDNS_UDP_SIZE 1232    /* what our own OPT offers */
#define EDNS_COOKIE_CLIENT 8  /* octets of a client cookie */
#define EDNS_COOKIE_MAX 40    /* client and server cookie together */
#define EDNS_COOKIE_SECRET 16 /* octets of the secret behind server cookies */

/* Asks for structured errors (draft-ietf-dnsop-structured-dns-error section 5.4; its data, if any,
 * is ignored). IANA's registry has this code for the draft, which the RFC Editor holds; the text of
 * the draft (-25) still says TBD1, and libknot 3.2 does not know it. */
#define EDNS_OPTION_SDE 26

/* Octets of our own OPT with the longest cookie and ECS and an EDE code, but no EXTRA-TEXT. */
#define EDNS_ANSWER_BARE_MAX (11 + 4 + EDNS_COOKIE_MAX + 4 + ECS_MAX + 4 + 2)

struct edns_query {
    bool present;      /* exactly one OPT, or the first of several */
    bool several;      /* two or more OPT records */
    bool readable;     /* all of it, to the message's last octet and the OPT's last option; false:
                        * what could be read */
    uint16_t udp_size; /* as sent; 512 for values below it and without an OPT */
    uint8_t version;
    bool dnssec_ok;
    bool structured;    /* asks for structured errors: SDE, or as drafts before it had it an EDE of
                         * INFO-CODE 0 without EXTRA-TEXT */
    bool subnet;        /* has an ECS option, well-formed or not */
    struct span cookie; /* the option's data if well-formed (8, or 16 to 40 octets), else empty */
    struct span ecs;    /* the option's data if there is one such option alone and it is well-formed
                         * (ecs.h), with a SCOPE of zero as queries have it; else empty */
};

/* Reads the OPT of a query whose question was DNS_QUESTION_ONE. Never fails: what cannot be read is
 * as if absent. An OPT outside the additional section, or with an owner other than the root, is
 * none; of several the first is read, of several COOKIE options likewise; any option may ask for
 * structured errors. Linear in the message,
 * whatever its counts say: names are skipped, no compression pointer is followed. */
void edns_query_decode(struct span message, const struct dns_question *question,
                       struct edns_query *out);

struct edns_answer {
    bool dnssec_ok;
    uint8_t extended_rcode; /* upper eight bits of the rcode */
    bool has_error;         /* carry an EDE */
    uint16_t info_code;
    struct span extra_text; /* may be empty */
    struct span cookie;     /* client and server cookie to send; may be empty */
    struct span ecs;        /* of the query: goes back with SCOPE = SOURCE; may be empty */
};

/* Octets of the OPT record that edns_answer_encode appends. */
size_t edns_answer_size(const struct edns_answer *answer);

/* Appends an OPT record; one that does not fit fails the writer. */
void edns_answer_encode(struct span_writer *writer, const struct edns_answer *answer);

/* What is needed to make a server cookie: the client's address is part of it. */
struct edns_cookie_env {
    const uint8_t *secret; /* EDNS_COOKIE_SECRET octets */
    struct span client;    /* 4 or 16 octets of the client's address */
    uint32_t now;          /* seconds since the epoch, modulo 2^32 */
};

/* The COOKIE option that answers the query's: client and server cookie as they came, or with a
 * server cookie made by RFC 9018 when only a client cookie came. Octets written to out; 0 when the
 * query had none. No validation: a cookie grants nothing here. */
size_t edns_cookie_answer(const struct edns_query *query, const struct edns_cookie_env *env,
                          uint8_t out[static EDNS_COOKIE_MAX]);
