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

struct config_listen;
struct listen_quic;
struct quic_listener;
struct worker;
struct worker_socket;

/* NULL when memory is out. */
struct listen_quic *listen_quic_new(struct worker *worker);
void listen_quic_free(struct listen_quic *quic); /* closes all; NULL is allowed */

/* A socket of it. Takes over the descriptor in any case. It serves nobody before listen_quic_adopt.
 * NULL when memory is out, or the kernel cannot do what it takes. */
struct quic_listener *listen_quic_add(struct listen_quic *quic, const struct worker_socket *socket);

/* Gives the socket another row of `listen`, from the next listen_quic_adopt on. */
void listen_quic_become(struct quic_listener *listener, const struct config_listen *listen);

/* Takes no more queries or connections there; those open close as their answers have been received.
 */
void listen_quic_leave(struct quic_listener *listener);

/* Is no connection open there? */
bool listen_quic_is_unused(const struct quic_listener *listener);

/* Closes what is open there, and the socket. */
void listen_quic_remove(struct quic_listener *listener);

/* New connections use the certificates of the worker's generation from now on. A listener whose
 * pair is missing there serves no new ones; a pair that cannot be used is logged, and the one
 * before stays in use. */
void listen_quic_adopt(struct listen_quic *quic);

/* Connections open now. */
size_t listen_quic_count(const struct listen_quic *quic);

/* Takes no more queries; connections close as their answers have been received. */
void listen_quic_drain(struct listen_quic *quic);

/* For the stream that an origin names, if it is still there: an answer is due, is here, or will not
 * come because the order's action is drop. */
void listen_quic_expect(struct listen_quic *quic, const struct origin_stream *origin);
void listen_quic_answer(struct listen_quic *quic, const struct origin_stream *origin,
                        struct span answer);
void listen_quic_forgo(struct listen_quic *quic, const struct origin_stream *origin);

/* Goes on with queries that waited for room in flight, and sends what has become due. */
void listen_quic_resume(struct listen_quic *quic);
