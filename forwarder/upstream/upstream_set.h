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

#include "forwarder/config/config_address.h"
#include "forwarder/upstream/upstream_counts.h"

/* What the handshakes with a TLS server have shown. */
enum upstream_trust {
    UPSTREAM_UNTRIED,
    UPSTREAM_VERIFIED,
    UPSTREAM_REFUSED, /* its certificate is not what `tls-name` and `tls-ca` ask for */
};

struct upstream_tls;

struct upstream_target {
    struct config_address address;
    const char *tls_name; /* of a TLS server: the name to verify; of the configuration. Or NULL */
    _Atomic enum upstream_trust trust;
    char text[CONFIG_ADDRESS_TEXT_MAX]; /* "192.0.2.1:53", "[2001:db8::1]:53" */
    uint64_t hash;                  /* of the address, for client-hash; the same on every machine */
    _Atomic bool up;                /* as the health checks see it; true from the start */
    _Atomic bool drained;           /* the operator wants it to be asked nothing more */
    struct upstream_counts *counts; /* one a worker, in room */
    void *room;
    size_t workers;
    unsigned references; /* main thread only */
};

struct upstream_set {
    uint64_t number; /* ascending; workers report the one they use */
    const struct config_upstream
        *config;              /* how they are asked; outlives the set. NULL: as before */
    struct upstream_tls *tls; /* with config: NULL if no server has TLS */
    size_t count;
    struct upstream_target *targets[]; /* in the order of the configuration */
};

/* A target with one reference, all outstanding counts zero. NULL when memory is out. */
struct upstream_target *upstream_target_new(const struct config_address *address, size_t workers);
struct upstream_target *upstream_target_ref(struct upstream_target *target);
void upstream_target_unref(struct upstream_target *target); /* NULL is allowed */

bool upstream_target_same(const struct upstream_target *target,
                          const struct config_address *address);

/* What a worker counts of this target; the worker's own to write. */
struct upstream_counts *upstream_target_counts(struct upstream_target *target, unsigned worker);

/* Queries that wait on this target, over all workers. */
uint64_t upstream_target_outstanding(const struct upstream_target *target);

/* All that they count. */
struct upstream_counts_sum upstream_target_sum(const struct upstream_target *target);

/* A set with references of its own; NULL when memory is out. */
struct upstream_set *upstream_set_new(uint64_t number, struct upstream_target *const *targets,
                                      size_t count);
void upstream_set_free(struct upstream_set *set); /* NULL is allowed */
