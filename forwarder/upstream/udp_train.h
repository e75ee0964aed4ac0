/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Datagrams of one batch to the one peer of a connected socket, sent in as few passes through the
 * kernel's stack as their sizes allow: those of one size, and one that is shorter behind them, are
 * handed over as one message that the kernel cuts again (UDP_SEGMENT, Linux 4.18). On the wire they
 * are what they were, longest first. Where the kernel or the way to the peer refuses that, each is
 * sent by itself from then on. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "forwarder/udp_batch.h"
#include "forwarder/wire/proxy_header.h"
#include "forwarder/wire/span.h"

struct udp_train;

/* NULL when memory is out. */
struct udp_train *udp_train_new(void);
void udp_train_free(struct udp_train *train); /* NULL is allowed */

bool udp_train_full(const struct udp_train *train); /* holds UDP_BATCH datagrams */

/* Room for a header before the next datagram, PROXY_HEADER_ENCODED_MAX octets: valid until the next
 * flush. */
uint8_t *udp_train_room(struct udp_train *train);

/* Queues one datagram, where it is not full: the header, which may be empty, and the message.
 * Borrows both until the next flush. */
void udp_train_add(struct udp_train *train, struct span header, struct span message);

/* Sends all that is queued, without blocking. Returns how many datagrams could not be sent. */
unsigned udp_train_flush(struct udp_train *train, int descriptor);
