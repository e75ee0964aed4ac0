/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One stream of a connection, as DNS uses it (RFC 9250 section 4.2): one query, two octets of
 * length before it and FIN behind it; then one answer, framed alike, and FIN. What was sent
 * is kept until it is acknowledged. Knows nothing of the connection.
 *
 *   reading ──► whole (FIN came) ──► asked ──► answering ──► finished ──► closed
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "forwarder/wire/span.h"

#define QUIC_STREAM_LENGTH 2U                         /* octets of a message's length, before it */
#define QUIC_STREAM_MAX (QUIC_STREAM_LENGTH + 65535U) /* octets that a client may send on one */

struct quic_block;

struct quic_stream {
    int64_t id;
    uint8_t *input;    /* what came, with its length in front; NULL once it has been taken */
    size_t input_size; /* octets in it */
    size_t input_room;
    size_t received;           /* octets that came in all */
    struct quic_block *first;  /* the oldest that is not acknowledged as a whole */
    struct quic_block *last;   /* where the next is appended */
    struct quic_block *unsent; /* the one to send from, NULL if everything was sent */
    size_t unsent_at;          /* octets of it that were sent */
    uint64_t first_at;         /* where in the stream the first block begins */
    size_t queued;             /* octets in all blocks */
    bool finished;             /* no answer will follow those that are queued */
    bool fin_sent;             /* and that was told */
    bool blocked;              /* the client does not take more for now */
    bool shut;                 /* nor ever again */
    bool due;                  /* an answer of upstream is to come */
    bool closed;               /* the transport has forgotten it */
    bool stalled;              /* its query waits for room in flight */
    bool silent;               /* an order's action is drop: no answer comes */
    bool writable;             /* on the connection's list of those with something to send */
    TAILQ_ENTRY(quic_stream) all;
    TAILQ_ENTRY(quic_stream) writing;
    TAILQ_ENTRY(quic_stream) waiting;
};

TAILQ_HEAD(quic_stream_list, quic_stream);

/* NULL when memory is out. */
struct quic_stream *quic_stream_new(int64_t id);
void quic_stream_free(struct quic_stream *stream);

enum quic_stream_fate {
    QUIC_STREAM_MORE,  /* the query is not whole yet */
    QUIC_STREAM_WHOLE, /* it is: quic_stream_query */
    QUIC_STREAM_WRONG, /* not what RFC 9250 section 4.2 allows: DOQ_PROTOCOL_ERROR */
    QUIC_STREAM_NO_MEMORY,
};

/* Takes what came next, and whether it was the last. Only memory for what came is taken, whatever
 * length was announced. */
enum quic_stream_fate quic_stream_take(struct quic_stream *stream, struct span bytes, bool fin);

/* The query that QUIC_STREAM_WHOLE told of, and its size; until quic_stream_drop_query. */
uint8_t *quic_stream_query(const struct quic_stream *stream, size_t *size);
void quic_stream_drop_query(struct quic_stream *stream);

/* Queues an answer (at most 65,535 octets) with its length. False when memory is out. */
bool quic_stream_answer(struct quic_stream *stream, struct span message);

/* What is to be sent next; empty if there is nothing but FIN, or nothing at all. */
struct span quic_stream_unsent(const struct quic_stream *stream);

/* Has it octets to send, or FIN? */
bool quic_stream_wants(const struct quic_stream *stream);

/* With these octets, is everything said? Then FIN goes with them. */
bool quic_stream_ends(const struct quic_stream *stream, struct span unsent);

/* So many octets of quic_stream_unsent were sent, and FIN if it was asked for. */
void quic_stream_sent(struct quic_stream *stream, size_t size, bool fin);

/* Everything before this offset was acknowledged: forgets blocks. Returns the octets freed. */
size_t quic_stream_acked(struct quic_stream *stream, uint64_t offset);

/* Forgets all that is queued; octets freed. */
size_t quic_stream_discard(struct quic_stream *stream);
