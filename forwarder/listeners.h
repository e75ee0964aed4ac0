/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What one worker listens on, and the one way in which that changes: the main thread says which
 * sockets it is to be from now on, and the worker takes up those that are new, goes on with those
 * that stay, and leaves the others. A start is the first such list, a worker that is not needed any
 * more gets an empty one.
 *
 * Leaving loses nothing that was received. The main thread first sees to it that the kernel puts
 * nothing more into the socket (listen_plan.h); then what waits in it is handled, connections that
 * are being made are accepted for LISTENERS_LINGER_MS, and the socket is closed when the last
 * answer that is to leave by it has left. Connections of clients to an address that is no longer
 * listened to are ended in order then.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LISTENERS_LINGER_MS 1000U

struct config_listen;
struct listeners;
struct worker;

/* A socket, bound but not read yet. */
struct worker_socket {
    int descriptor;
    uint64_t serial;                    /* two with the same are one: the descriptor is another */
    const struct config_listen *listen; /* what it is for; lives as long as the worker */
    bool wildcard; /* bound to all addresses: the local address of each query must be kept */
    bool foreign;  /* of a socket unit: the service manager has it without being told */
};

/* All of a worker's. */
struct worker_sockets {
    uint64_t number; /* ascending: of all lists that were ever made */
    size_t count;
    struct worker_socket items[];
};

/* NULL when memory is out. */
struct listeners *listeners_new(struct worker *worker);

/* Closes all. Whoever may still send an answer by them has been freed. NULL is allowed. */
void listeners_free(struct listeners *listeners);

/* These are to be listened on, and no others; takes over the list and its descriptors in any case.
 * False, and logged, if one could not be taken up for want of memory: the others are. */
bool listeners_follow(struct listeners *listeners, struct worker_sockets *sockets);

/* Sends the answers that were queued for clients over UDP. */
void listeners_flush(struct listeners *listeners);

/* Takes no more queries. What waits in the sockets is left there. */
void listeners_stop(struct listeners *listeners);

/* The number of the last list that is followed to its end: everything else has been left. */
uint64_t listeners_settled(const struct listeners *listeners);
