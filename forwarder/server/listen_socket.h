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

/* With whom it may have its address. Sockets of one user share one if both say so before they are
 * bound (SO_REUSEPORT), and another daemon's are as good to the kernel as ours. */
enum listen_socket_sharing {
    LISTEN_SOCKET_ALONE,  /* with nobody when it is bound; from then on with others that are SHARED
                           */
    LISTEN_SOCKET_SHARED, /* with those that are ours already */
};

/* One that is bound, and listens. -1 from errno: EADDRINUSE if it is to be alone and is not. */
int listen_socket_open(const struct config_listen *listen, size_t receive_buffer,
                       enum listen_socket_sharing sharing);

/* Could it be opened? Closed again at once, and without having taken anything from a socket that
 * listens to all addresses. False from errno. */
bool listen_socket_try(const struct config_listen *listen, size_t receive_buffer,
                       enum listen_socket_sharing sharing);

/* Have both the same port of the same address? One that stands for all of its family has each. */
bool listen_socket_meets(const struct config_address *a, const struct config_address *b);

/* Says, from errno, that the row cannot be listened on. */
void listen_socket_why(const struct config_listen *listen, char why[static WHY_MAX]);
