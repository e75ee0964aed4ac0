/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lists that lost more than half of their names: most often a download that broke off, or a source
 * that changed its format. The version in force stays until somebody says that it is meant.
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

/* The same as warnings, for lists of a generation against what a state folder says was in force. */
void generation_shrink_warn(const struct generation *generation, const char *state,
                            struct problem_list *problems);
