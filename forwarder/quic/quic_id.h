/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The connection IDs that we choose (RFC 9000 section 5.1): random octets, of which the first two
 * also tell the worker that holds the connection: their low ten bits are its number, however many
 * workers there are, so that a connection stays where it is when their count changes.
 * quic_steer.h has the kernel read them, so that a client whose port changes stays with its worker.
 * They are not encrypted: an observer learns no more than one of a few workers, and connections do
 * not migrate anyway.
 */
#pragma once

#include <stdint.h>

#define QUIC_ID_SIZE 16U
#define QUIC_ID_WORKERS_MAX 1024U /* a power of two; as many as `workers` may be */

/* Makes an ID of this worker (less than QUIC_ID_WORKERS_MAX) out of random octets. */
void quic_id_mark(uint8_t id[static QUIC_ID_SIZE], unsigned worker);

/* The worker whose ID this is. */
unsigned quic_id_worker(const uint8_t id[static QUIC_ID_SIZE]);
