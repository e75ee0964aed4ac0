/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One dnstap message (the payload of a frame): a query of a client, or the answer to one. Read are
 * the five fields of the schema that say so; all others are passed over, whatever they hold. Bytes
 * of a file are anybody's: no read goes past the end.
 */
#pragma once

#include "forwarder/cli/query_record.h"
#include "forwarder/wire/span.h"

enum query_dnstap_kind {
    QUERY_DNSTAP_QUERY,    /* CLIENT_QUERY */
    QUERY_DNSTAP_RESPONSE, /* CLIENT_RESPONSE: a record of what was asked */
    QUERY_DNSTAP_OTHER,    /* nothing that a client asked, or not by a readable question */
    QUERY_DNSTAP_BAD,      /* no dnstap message */
};

/* *out is set for the first two. It has a client if the message gives an address. */
enum query_dnstap_kind query_dnstap_decode(struct span frame, struct query_record *out);
