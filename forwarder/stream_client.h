/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Connections of clients over streams (RFC 7766), in one worker: queries framed, pipelined,
 * answered in any order. A table of slots with serial numbers, so that an answer finds its
 * connection or learns that it is gone.
 *
 * Limits: a connection that has no complete query, no unread answer and nothing in flight for
 * tcp-idle is closed; so is one that leaves stream-output octets unread, or reads nothing for
 * tcp-idle. It is not read while the in-flight table is full, or while it has
 * STREAM_CLIENT_PIPELINE queries waiting. After a half-close all answers due are still sent.
 *
 *   reading ◄──► stalled (not read for now) ──► draining (client sent FIN, or the daemon stops:
 *      │                                            answers due are sent) ──► closed
 *      └────────────► doomed (broken, or over a limit): closed from the loop, never inside a call
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "forwarder/origin.h"
#include "forwarder/wire/span.h"
#include "geo/address.h"

#define STREAM_CLIENT_PIPELINE 256 /* queries of one connection that wait at once */
#define STREAM_CLIENT_TRANSFERS 8  /* of these, zone transfers */

struct stream_table;
struct transfer_mark;
struct worker;

/* NULL when memory is out. */
struct stream_table *stream_table_new(struct worker *worker);
void stream_table_free(struct stream_table *table); /* closes all; NULL is allowed */

/* Takes over an accepted connection, for which a place in the quota is held, in any case. */
void stream_client_open(struct stream_table *table, int descriptor, const struct address *address);

/* Reads no more queries anywhere; connections close as their answers have been sent. */
void stream_table_drain(struct stream_table *table);

/* Connections open now. */
size_t stream_table_count(const struct stream_table *table);

/* Of the connection that an origin names, if it is still the same one: one more answer is due. */
void stream_client_expect(struct stream_table *table, const struct origin_stream *origin);

/* Sends an answer that was due; lost if the connection is gone. */
void stream_client_answer(struct stream_table *table, const struct origin_stream *origin,
                          struct span answer);

/* One of the answers that were due will not come: the order's action is drop. */
void stream_client_forgo(struct stream_table *table, const struct origin_stream *origin);

/* Starts a zone transfer for the connection, which holds the generation of its mark until it ends.
 * False if no server could be asked, or the process is short of descriptors. */
bool stream_client_transfer(struct stream_table *table, const struct origin_stream *origin,
                            struct span query, const struct transfer_mark *mark);

/* Goes on with connections that were stalled, if there is room again. */
void stream_client_resume(struct stream_table *table);
