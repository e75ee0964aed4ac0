/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The sockets that clients ask, bound by the main thread for all workers before any of them starts:
 * each worker gets its own for each address and transport (SO_REUSEPORT), so that the kernel
 * spreads clients and no two workers share a queue.
 */
#pragma once

#include <stddef.h>

#include "forwarder/worker.h"

struct config;

/* Binds one set of sockets for a worker: *count of them, in an array the caller frees; closing the
 * descriptors is the caller's too. NULL with a reason that names the address; nothing is left
 * open then. */
struct worker_socket *listen_sockets_open(const struct config *config, size_t *count,
                                          char why[static WHY_MAX]);
