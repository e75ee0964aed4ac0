/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Answers on their last step, to where the query came from: the sender of a datagram, or a
 * connection, if it is still the same one. Knows the kinds of origins, and nothing of what an
 * answer says but its length.
 */
#pragma once

#include "forwarder/origin.h"
#include "forwarder/wire/span.h"

struct inflight_entry;
struct worker;

/* An answer is due to the origin: it will be sent, or forgone. Inline, as only connections have to
 * be told. */
void reply_expect_connected(struct worker *worker, const struct origin *origin);
static inline void reply_expect(struct worker *worker, const struct origin *origin)
{
    if (origin->kind != ORIGIN_DATAGRAM) {
        reply_expect_connected(worker, origin);
    }
}

/* Sends an answer whose octets are copied. */
void reply_send(struct worker *worker, const struct origin *origin, struct span answer);

/* Hands on what upstream sent to the entry: to a datagram's sender no more than he takes. Over UDP
 * the octets may have to stay until the end of the batch. */
void reply_relay(struct worker *worker, const struct inflight_entry *entry, struct span answer);

/* No answer will come: the order's action is drop. */
void reply_forgo(struct worker *worker, const struct origin *origin);
