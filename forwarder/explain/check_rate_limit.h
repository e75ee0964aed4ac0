/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Warnings about values of `rate-limit` that are allowed and hardly ever meant.
 */
#pragma once

struct config;
struct problem_list;

/* Adds a warning for each. */
void check_rate_limit(const struct config *config, struct problem_list *problems);
