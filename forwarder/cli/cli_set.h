/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The set of files that a configuration names, loaded as the daemon loads it: by the same code,
 * with the last good versions of its state folder, which is only read.
 */
#pragma once

#include <stdint.h>

#include "forwarder/config/config.h"
#include "forwarder/generation/generation.h"

struct cli_set {
    struct config *config;
    struct generation *generation;
};

/* Reads the configuration alone. NULL with every problem on standard error; else there is nothing
 * to say. */
struct config *cli_set_config(const char *path);

/* Loads everything at now, to be judged at the instant at, which may be past: orders that have
 * ended since are then held to be in scope. Problems are written to standard error. False if there
 * is no usable set; *set is empty then. */
bool cli_set_load(struct cli_set *set, const char *path, int64_t now, int64_t at);

void cli_set_free(struct cli_set *set);
