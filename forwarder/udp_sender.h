/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Datagrams of one batch, sent in as few passes through the kernel's stack as their peers and sizes
 * allow: those to one peer and of one size, and one that is shorter behind them, are handed over as
 * one message that the kernel cuts again (UDP_SEGMENT, Linux 4.18). On the wire they are what they
 * were; to each peer the longest come first. Where the kernel or the way refuses that, each is sent
 * by itself from then on. A sender borrows the octets it is given until it is flushed. Owned by one
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "forwarder/origin.h"
#include "forwarder/udp_batch.h"
#include "forwarder/wire/span.h"

struct udp_sender;

/* One that does not join keeps the order of what it is given. NULL when memory is out. */
struct udp_sender *udp_sender_new(bool joins);

/* May datagrams be joined that this socket sends? Asks the kernel: an older one would not refuse to
 * cut them, but send them as one. */
bool udp_sender_can_join(int descriptor);

void udp_sender_free(struct udp_sender *sender); /* NULL is allowed */

/* Room for what is made here: BLOCK_ANSWER_MAX octets, or a PROXY header. Valid until the next
 * flush, for the next datagram that is queued. */
uint8_t *udp_sender_room(struct udp_sender *sender);

/* Both queue one datagram, and say whether the sender is full then: it must be flushed before the
 * next. A sender is used with one of the two alone. */

/* origin says where to and, if from_local, which address it leaves from. */
bool udp_sender_add(struct udp_sender *sender, struct span message,
                    const struct origin_datagram *origin, bool from_local);

/* To the peer of a connected socket: the header, which may be empty, and the message. */
bool udp_sender_add_connected(struct udp_sender *sender, struct span header, struct span message);

/* Sends all that is queued, without blocking. Returns how many datagrams could not be sent. */
unsigned udp_sender_flush(struct udp_sender *sender, int descriptor);
