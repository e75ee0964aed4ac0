/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lists that lost more than half of their names: most often because a download broke off, or a
 * source changed its format. The version in force stays until an operator accepts the new one.
 */
#pragma once

#include <stdbool.h>

#include "geo/problem.h"

struct generation;
struct generation_candidate;
struct generation_work;

/* May this order, read without an error, take the place of the one in force? If not, each list that
 * shrank is an error. */
bool generation_shrink_allows(const struct generation_work *work,
                              const struct generation_candidate *candidate);

/* Compares the lists of a generation with those that a state folder has kept, and adds a warning
 * for each that shrank. */
void generation_shrink_warn(const struct generation *generation, const char *state,
                            struct problem_list *problems);
