/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The sockets that clients ask, bound by the main thread for all workers before any of them starts:
 * each worker gets its own for each address and transport (SO_REUSEPORT), so that the kernel
 * spreads clients and no two workers share a queue.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "forwarder/worker.h"

struct config;
struct inherited_sockets;

/* Gives a worker one set of sockets: *count of them, in an array the caller frees; closing the
 * descriptors is the caller's too. Where one was handed over by the service manager (inherited may
 * be NULL) that is taken, and by the last worker all of that kind that are left: what waits in them
 * is served. NULL with a reason that names the address; nothing is left open then. */
struct worker_socket *listen_sockets_open(const struct config *config,
                                          struct inherited_sockets *inherited, bool last,
                                          size_t *count, char why[static WHY_MAX]);
