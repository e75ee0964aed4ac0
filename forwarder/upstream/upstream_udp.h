/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One server's UDP sockets in one worker: UPSTREAM_UDP_SOCKETS connected sockets on random ports,
 * each replaced in its turn, so that an off-path attacker has ports and IDs to guess (RFC 5452).
 * A connected socket takes datagrams from its server's address and port alone. A replaced socket
 * stays open until its last query is answered or given up.
 */
#pragma once

#include <stdbool.h>

#include "forwarder/upstream/upstream_env.h"
#include "forwarder/upstream/upstream_set.h"

#define UPSTREAM_UDP_SOCKETS 8

struct upstream_udp;

/* NULL when memory or descriptors are out; env and target outlive it. */
struct upstream_udp *upstream_udp_new(struct upstream_env *env, struct upstream_server *server,
                                      struct upstream_target *target);

/* Closes everything; no query may wait on it. NULL is allowed. */
void upstream_udp_free(struct upstream_udp *udp);

/* Sends the entry's query, at the latest with upstream_udp_flush; until then the entry must stay.
 * False if no ID was free. */
bool upstream_udp_send(struct upstream_udp *udp, struct inflight_entry *entry);
void upstream_udp_flush(struct upstream_udp *udp);

/* Replaces the oldest socket if anything was sent since the last call, and closes replaced ones
 * that are done. True while there is more to do later: it was used, or replaced sockets still
 * wait. */
bool upstream_udp_renew(struct upstream_udp *udp);
