/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What one worker listens on, and the one way in which that changes: the main thread gives it a
 * list of sockets, and the worker takes up those that are new, goes on with those that it has, and
 * leaves those that are not in the list. A worker starts with such a list; one that is not needed
 * any more gets an empty one.
 *
 * Leaving a socket loses nothing that was received. First the main thread has the kernel put
 * nothing more into it (listen_plan.h). Then what waits in it is handled, connections that are
 * being made are accepted for LISTENERS_LINGER_MS, and the socket is closed once the last answer
 * that is to leave by it has left. Clients' connections to an address that is no longer listened on
 * are then ended in good order.
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
    uint64_t serial;                    /* equal for two descriptors of one socket */
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

/* Listens on these sockets from now on, and on no others; takes over the list and its descriptors
 * in any case. False, and logged, if memory was out for one: the others are taken up. */
bool listeners_follow(struct listeners *listeners, struct worker_sockets *sockets);

/* Sends the answers that were queued for clients over UDP. */
void listeners_flush(struct listeners *listeners);

/* Takes no more queries. What waits in the sockets is left there. */
void listeners_stop(struct listeners *listeners);

/* The number of the last list that is followed completely: every other socket has been closed. */
uint64_t listeners_settled(const struct listeners *listeners);
