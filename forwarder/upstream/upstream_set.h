/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The servers behind, as the workers see them: an immutable list of targets, published like a
 * generation whenever a name resolves to other addresses. A target is one socket address and
 * whether its health checks succeed; it is shared by all sets that list the address.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forwarder/config/config.h"

/* What the handshakes with a TLS server have shown. */
enum upstream_trust {
    UPSTREAM_UNTRIED,
    UPSTREAM_VERIFIED,
    UPSTREAM_REFUSED, /* its certificate is not what `tls-name` and `tls-ca` ask for */
};

struct upstream_target {
    struct config_address address;
    const char *tls_name; /* of a TLS server: the name to verify; of the configuration. Or NULL */
    _Atomic enum upstream_trust trust;
    char text[80];                 /* "192.0.2.1:53", "[2001:db8::1]:53" */
    uint64_t hash;                 /* of the address, for client-hash; the same on every machine */
    _Atomic bool up;               /* as the health checks see it; true from the start */
    _Atomic uint32_t *outstanding; /* one a worker, each on a cache line of its own */
    size_t workers;
    unsigned references; /* main thread only */
};

struct upstream_set {
    uint64_t number; /* ascending; workers report the one they use */
    size_t count;
    struct upstream_target *targets[]; /* in the order of the configuration */
};

/* A target with one reference, all outstanding counts zero. NULL when memory is out. */
struct upstream_target *upstream_target_new(const struct config_address *address, size_t workers);
struct upstream_target *upstream_target_ref(struct upstream_target *target);
void upstream_target_unref(struct upstream_target *target); /* NULL is allowed */

bool upstream_target_same(const struct upstream_target *target,
                          const struct config_address *address);

/* A worker's own count of queries that wait on this target. */
_Atomic uint32_t *upstream_target_counter(struct upstream_target *target, unsigned worker);

/* Queries that wait on this target, over all workers. */
uint64_t upstream_target_outstanding(const struct upstream_target *target);

/* A set with references of its own; NULL when memory is out. */
struct upstream_set *upstream_set_new(uint64_t number, struct upstream_target *const *targets,
                                      size_t count);
void upstream_set_free(struct upstream_set *set); /* NULL is allowed */
