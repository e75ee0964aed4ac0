/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One listening socket for a row of `listen`: what it is set to, and whether it can be had. Which
 * ones there are, and who has them, is the matter of listen_plan.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "geo/problem.h"

struct config_address;
struct config_listen;

/* Does it stand for all addresses of its family? */
bool listen_socket_is_wildcard(const struct config_address *address);

/* Sets what every socket is set to, whoever has made it. Bursts wait in receive_buffer octets while
 * a worker is busy. False from errno. */
bool listen_socket_prepare(int descriptor, const struct config_listen *listen,
                           size_t receive_buffer);

/* One that is bound, and listens. -1 from errno. */
int listen_socket_open(const struct config_listen *listen, size_t receive_buffer);

/* Could it be opened? Closed again at once, and without having taken anything from a socket that
 * listens to all addresses. False from errno. */
bool listen_socket_try(const struct config_listen *listen, size_t receive_buffer);

/* Says, from errno, that the row cannot be listened on. */
void listen_socket_why(const struct config_listen *listen, char why[static WHY_MAX]);
