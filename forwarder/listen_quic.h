/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * DNS over QUIC (RFC 9250) in one worker: what quic/ hears is dispatched, and answers go back
 * there. The hop's own EDNS options are taken here. Transfers are not relayed: they get NOTIMP.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forwarder/origin.h"
#include "forwarder/wire/span.h"

struct listen_quic;
struct worker;
struct worker_socket;

/* NULL when memory is out. */
struct listen_quic *listen_quic_new(struct worker *worker);
void listen_quic_free(struct listen_quic *quic); /* closes all; NULL is allowed */

/* Takes over the socket's descriptor in any case. It serves nobody before listen_quic_adopt. False
 * when memory is out, or the kernel cannot do what it takes. */
bool listen_quic_add(struct listen_quic *quic, const struct worker_socket *socket);

/* New connections prove themselves with the certificates of the worker's generation. A listener
 * whose pair is missing there serves no new ones; a pair that cannot be used is logged, and the one
 * before stays. */
void listen_quic_adopt(struct listen_quic *quic);

/* Connections open now. */
size_t listen_quic_count(const struct listen_quic *quic);

/* Takes no more queries; connections close as their answers have been received. */
void listen_quic_drain(struct listen_quic *quic);

/* Of the stream that an origin names, if it is still there: an answer is due; here it is; it will
 * not come, the order's action is drop. */
void listen_quic_expect(struct listen_quic *quic, const struct origin_stream *origin);
void listen_quic_answer(struct listen_quic *quic, const struct origin_stream *origin,
                        struct span answer);
void listen_quic_forgo(struct listen_quic *quic, const struct origin_stream *origin);

/* Goes on with queries that waited for room in flight, and sends what has become due. */
void listen_quic_resume(struct listen_quic *quic);

/* Datagrams that the kernel dropped at these sockets so far. */
uint64_t listen_quic_drops(const struct listen_quic *quic);
