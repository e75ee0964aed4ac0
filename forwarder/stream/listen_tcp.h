/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One TCP socket that clients connect to, in one worker. Accepting stops while the process is short
 * of descriptors, so that the last ones serve reloads, status and upstreams, and goes on as soon as
 * some are free; meanwhile connections wait in the kernel's queue. Connections over the limits
 * are closed at once, and so are those of peers that a listener with `proxy-protocol` does not
 * trust.
 */
#pragma once

#include <stdbool.h>

struct config_listen;
struct listen_tcp;
struct worker;
struct worker_socket;

/* Takes over the descriptor in any case. NULL when memory is out. */
struct listen_tcp *listen_tcp_new(struct worker *worker, const struct worker_socket *socket);
void listen_tcp_free(struct listen_tcp *listener); /* NULL is allowed */

/* Gives the socket another row of `listen`, for connections that are accepted from now on. False
 * when memory is out: it keeps the row that it had. */
bool listen_tcp_become(struct listen_tcp *listener, const struct config_listen *listen);

/* Accepts all that wait in the socket's queue. */
void listen_tcp_accept_waiting(struct listen_tcp *listener);

/* Accepts no more connections. */
void listen_tcp_stop(struct listen_tcp *listener);
