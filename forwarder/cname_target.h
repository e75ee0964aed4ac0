/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The action cname, towards upstream: the query that is sent in place of the client's, and the part
 * of upstream's answer that the client gets behind the order's CNAME (block_cname writes that).
 * Bytes alone; no orders, no heap, no sockets.
 */
#pragma once

#include "forwarder/block.h"
#include "policy/dname.h"

/* Header, question and an empty OPT. */
#define CNAME_TARGET_QUERY_MAX (DNS_HEADER_SIZE + DNS_QUESTION_MAX + 11)

/* The query for what the target leads the qname to (order_action_target): ID 0, RD=1, CD as the
 * client's, its type, class IN, and an OPT if it sent one, DO copied. Octets written; 0 if there is
 * nothing to ask: the target leads nowhere, the type is CNAME, or one that no record has (ANY, AXFR
 * and all from 128 to 255, RFC 6895 section 3.1), or the class is not IN or ANY. */
size_t cname_target_query(struct span query, const struct dname *target,
                          uint8_t out[static CNAME_TARGET_QUERY_MAX]);

/* Reads upstream's answer: its rcode and TC bit, the records of its answer section, and the SOA of
 * a negative one (RFC 2308), whose octets are written to the empty writer with all names in full.
 * Everything else is left out, and so are records of the client's qname, which has a CNAME and no
 * other data. False if the answer cannot be read to its end or the writer has no room. */
bool cname_target_read(struct span answer, const struct dname *qname, struct span_writer *writer,
                       struct block_tail *out);
