/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The one order that `bailiwick impact` is asked about, alone in a generation: one of the orders
 * folder by its id, or a file, which need not lie there yet.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "forwarder/config/config.h"
#include "forwarder/generation/generation.h"

struct cli_options;
struct order;

struct impact_set {
    struct config *config;
    struct generation *generation; /* holds the order as if it were active */
    const struct order *order;     /* of the generation */
    int64_t now;                   /* the instant to judge at, at which it is in force */
};

/* Reads the order that the operand names, with its lists, the database and the overrides. False,
 * said on standard error, without it. impact_set_fini is called in any case. */
bool impact_set_load(struct impact_set *set, const struct cli_options *options);
void impact_set_fini(struct impact_set *set);
