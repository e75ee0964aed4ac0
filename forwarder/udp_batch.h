/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Datagrams in batches: one recvmmsg fills up to UDP_BATCH of them, one sendmmsg sends as many.
 * A receiver owns its buffers; what it received is valid until it receives again. It touches only
 * the message headers that the last batch used. Owned by one thread. udp_sender.h queues what is
 * sent.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "forwarder/origin.h"
#include "forwarder/wire/span.h"

#define UDP_BATCH 64
#define UDP_RECEIVED_MAX 65536U /* octets of a receiver's room for one datagram */

struct udp_receiver;

/* addressed: it keeps who sent each datagram, and where to, for udp_receiver_take; a connected
 * socket need not tell. NULL when memory is out. */
struct udp_receiver *udp_receiver_new(bool addressed);
void udp_receiver_free(struct udp_receiver *receiver); /* NULL is allowed */

/* Receives what the socket holds, without blocking: the number of datagrams, 0 if there were none
 * (or an error that the kernel had kept for an earlier datagram). */
unsigned udp_receiver_read(struct udp_receiver *receiver, int descriptor);

/* The octets of a received datagram; writable, for the ID. */
uint8_t *udp_receiver_bytes(const struct udp_receiver *receiver, unsigned index, size_t *size);

/* The same, and who sent it, and where to (if the socket reports that): fills peer, local and
 * interface. */
uint8_t *udp_receiver_take(const struct udp_receiver *receiver, unsigned index, size_t *size,
                           struct origin_datagram *out);

/* Sends messages, without blocking. Returns how many from the first were sent: all of them and
 * *error 0; or *error says why the next one was not, after a second attempt (EAGAIN: the socket is
 * full, and after the first). */
unsigned udp_batch_send(int descriptor, struct mmsghdr *messages, unsigned count, int *error);
