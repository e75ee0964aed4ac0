/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who the process is, and what it may do beyond that: the key `user`. Called once, in the main
 * thread, before there is any other and before anything is opened but forwarder.conf. What of the
 * system's calls it may make at all is sandbox.h's.
 */
#pragma once

#include <stdbool.h>

#include "geo/problem.h"

struct config;

/* Whoever the process is then, nothing that it starts can be more than it. Of all capabilities
 * CAP_NET_BIND_SERVICE alone is left, if it was there, for ports below 1024; none can be passed on,
 * and as root without a user all stay.
 *
 * As root with config->user the process becomes that user for good, with its groups, and owner of
 * the folders of state and control where they had to be made. False with a reason: there is no such
 * user, it is root, or the process is neither root nor that user. */
bool privilege_drop(const struct config *config, char why[static WHY_MAX]);

/* Is the process root? */
bool privilege_is_root(void);
