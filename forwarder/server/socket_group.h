/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The sockets that share an address (SO_REUSEPORT), numbered from 0 in the order in which they were
 * bound. By itself the kernel chooses among all of them by a hash of the client's address and port,
 * and what waits in a socket that is closed is lost. So the group is narrowed first, and a socket
 * closed once its queue is empty.
 */
#pragma once

#include <stdbool.h>

/* New datagrams and connections go to the first count sockets of the group alone, spread at random;
 * what the others hold stays there. descriptor is any of the group. False with errno set. */
bool socket_group_narrow(int descriptor, unsigned count);

/* The kernel chooses by itself again. */
void socket_group_widen(int descriptor);
