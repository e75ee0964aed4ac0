/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Datagrams in batches: one recvmmsg fills up to UDP_BATCH of them, one sendmmsg sends as many.
 * A receiver owns its buffers; what it received is valid until it receives again. A sender
 * borrows the octets it is given until it is flushed. Both touch only the message headers that the
 * last batch used. Owned by one thread.
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

/* NULL when memory is out. */
struct udp_receiver *udp_receiver_new(void);
void udp_receiver_free(struct udp_receiver *receiver); /* NULL is allowed */

/* Receives what the socket holds, without blocking: the number of datagrams, 0 if there were none
 * (or an error that the kernel had kept for an earlier datagram). */
unsigned udp_receiver_read(struct udp_receiver *receiver, int descriptor);

/* The octets of a received datagram; writable, for the ID. */
uint8_t *udp_receiver_bytes(const struct udp_receiver *receiver, unsigned index, size_t *size);

/* Who sent it, and where to (if the socket reports that): fills peer, local and interface. */
void udp_receiver_origin(const struct udp_receiver *receiver, unsigned index,
                         struct origin_datagram *out);

struct udp_sender;

struct udp_sender *udp_sender_new(void);
void udp_sender_free(struct udp_sender *sender); /* NULL is allowed */

/* Room for an answer made here: valid until the next flush, for the next udp_sender_add. */
uint8_t *udp_sender_room(struct udp_sender *sender);

bool udp_sender_full(const struct udp_sender *sender);

/* Queues one datagram, which is not full. origin says where to and, if from_local, which address it
 * leaves from. */
void udp_sender_add(struct udp_sender *sender, struct span message,
                    const struct origin_datagram *origin, bool from_local);

/* Sends all that is queued, without blocking. Returns how many could not be sent. */
unsigned udp_sender_flush(struct udp_sender *sender, int descriptor);

/* Sends messages, without blocking. Returns how many from the first were sent: all of them and
 * *error 0; or *error says why the next one was not, after a second attempt (EAGAIN: the socket is
 * full, and after the first). */
unsigned udp_batch_send(int descriptor, struct mmsghdr *messages, unsigned count, int *error);
