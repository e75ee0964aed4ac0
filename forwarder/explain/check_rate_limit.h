/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `rate-limit` read by somebody who knows what it leads to: warnings of what can be meant, and
 * hardly is.
 */
#pragma once

struct config;
struct problem_list;

/* Adds a warning for each. */
void check_rate_limit(const struct config *config, struct problem_list *problems);
