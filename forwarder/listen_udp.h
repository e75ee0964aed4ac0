/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One UDP socket that clients ask, in one worker: queries come in batches, answers leave in
 * batches, from the address that was asked.
 */
#pragma once

#include <stdbool.h>

#include "forwarder/origin.h"
#include "forwarder/wire/span.h"

struct config_listen;
struct listen_udp;
struct worker;
struct worker_socket;

/* Takes over the descriptor in any case. NULL when memory is out. */
struct listen_udp *listen_udp_new(struct worker *worker, const struct worker_socket *socket);
void listen_udp_free(struct listen_udp *listener); /* NULL is allowed */

/* Gives the socket another row of `listen`. */
void listen_udp_become(struct listen_udp *listener, const struct config_listen *listen);

/* Both: no more queries are taken; answers can still be sent. stop leaves what waits in the socket
 * there; leave handles it first, as the kernel queues nothing more. */
void listen_udp_stop(struct listen_udp *listener);
void listen_udp_leave(struct listen_udp *listener);

/* Queues an answer, whose octets stay until the next listen_udp_flush. */
void listen_udp_send(const struct origin_datagram *origin, struct span answer);

/* The same with a copy of the octets, at most BLOCK_ANSWER_MAX. */
void listen_udp_send_copy(const struct origin_datagram *origin, struct span answer);

void listen_udp_flush(struct listen_udp *listener);
