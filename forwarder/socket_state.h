/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the kernel holds for a listening socket, and what it had to throw away.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The receive buffer that is asked for by default; the kernel may grant less. */
#define SOCKET_STATE_RECEIVE_BUFFER (4U * 1024U * 1024U)

struct socket_state {
    size_t receive_buffer; /* octets of datagrams that may wait, as asked for by SO_RCVBUF */
    uint32_t drops;        /* datagrams, or attempts to connect, that found no room; ever */
    uint32_t waiting;      /* connections that wait to be accepted; 0 for datagrams */
};

/* Asks for a receive buffer of so many octets, beyond net.core.rmem_max where the process may. What
 * was granted, which may be less, socket_state_read tells. */
void socket_state_ask(int descriptor, size_t receive_buffer);

/* What the kernel does not tell is 0. Any thread may call it. */
struct socket_state socket_state_read(int descriptor);
