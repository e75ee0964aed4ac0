/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who the process is, and what it may do beyond that: the key `user`. Called once, in the main
 * thread, before there is any other and before anything is opened but forwarder.conf. Which
 * system calls it may make is the business of sandbox.h.
 */
#pragma once

#include <stdbool.h>

#include "geo/problem.h"

struct config;

/* After it, no program that the process starts can have more rights than the process. Of all
 * capabilities only CAP_NET_BIND_SERVICE is left, if it was there, for ports below 1024, and none
 * can be passed on; as root without a user all stay.
 *
 * As root with config->user the process becomes that user for good, with its groups; the folders of
 * state and control are made for that user if they are missing. False with a reason: there is no
 * such user, it is root, or the process is neither root nor that user. */
bool privilege_drop(const struct config *config, char why[static WHY_MAX]);

/* Is the process root? */
bool privilege_is_root(void);
