/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The two sides of `bailiwick diff`: what the daemon has in force, by its own word and from the
 * bytes that its state folder holds of it, and what a reload would make of the files as they are.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "forwarder/config/config.h"
#include "forwarder/generation/generation.h"
#include "geo/problem.h"

struct cli_options;

struct diff_sets {
    json_t *in_force; /* what the daemon tells of its orders */
    struct config *kept_config;
    struct generation *kept; /* from the state folder; NULL if that cannot be read */
    struct config *config;
    struct generation *next;
    struct problem_list problems; /* of the files as they are */
    uint64_t seed;                /* of both generations */
    int64_t now;
};

/* Asks the daemon and loads both. False, said on standard error, if there is nothing to compare;
 * diff_sets_fini is called in any case. */
bool diff_sets_load(struct diff_sets *sets, const struct cli_options *options);
void diff_sets_fini(struct diff_sets *sets);

/* The order that the daemon tells of, from the state folder: only if its file and all its lists
 * have the bytes that are in force. NULL if not. */
const struct order *diff_sets_kept_order(const struct diff_sets *sets, const json_t *told);
