/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sockets that the service manager hands over at a start (sd_listen_fds(3)): those that the daemon
 * before this one had it keep, and those of socket units. What waits in them is served, not lost:
 * queries in their buffers, connections in their queues. They are recognised by what they are
 * bound to, not by their names. Owns those that nobody has taken.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct config_listen;
struct inherited_sockets;

/* Takes over all sockets that were handed to this process; its children do not get them. NULL:
 * there are none. */
struct inherited_sockets *inherited_sockets_take(void);

/* Closes those that nobody has taken; the service manager keeps them no longer. NULL is allowed. */
void inherited_sockets_free(struct inherited_sockets *inherited);

/* Takes a socket that is bound to this address for this kind of transport, not blocking; -1: there
 * is none. Of those that this program had kept, only the worker's own; else the first that the
 * service manager made itself, and *foreign says so. inherited may be NULL. */
int inherited_sockets_find(struct inherited_sockets *inherited, const struct config_listen *listen,
                           size_t worker, bool *foreign);

/* Is one that nobody has taken in the way of a socket of our own for this row, at the same address
 * or because one of both stands for all of them? Nothing is taken. */
bool inherited_sockets_meet(const struct inherited_sockets *inherited,
                            const struct config_listen *listen);

/* Takes any such socket that is left: those of workers that are not there any more. The service
 * manager keeps it no longer. */
int inherited_sockets_find_any(struct inherited_sockets *inherited,
                               const struct config_listen *listen);

/* The name under which the service manager keeps a worker's socket: what it listens to, without
 * colons, which may not stand in it, and the worker's number. */
#define INHERITED_SOCKETS_NAME_MAX 96
const char *inherited_sockets_name(const struct config_listen *listen, size_t worker,
                                   char out[static INHERITED_SOCKETS_NAME_MAX]);
