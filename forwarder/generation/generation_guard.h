/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The guard of a configuration by itself, for judging one order without loading a generation.
 */
#pragma once

struct config;
struct guard;
struct problem_list;

/* The guard that a start of the daemon would judge orders by: with the last good protected names
 * under `state` if their file cannot be read. NULL, with errors in problems, if there is none. */
struct guard *generation_guard_read(struct config *config, struct problem_list *problems);
