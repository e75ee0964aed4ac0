/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The orders of one load: each file of the orders folder judged alone, its last good version in its
 * place where it has an error, and one file for each id.
 */
#pragma once

struct generation_candidate;
struct generation_work;

/* Fills work->candidates. The guard is there already. */
void generation_orders_read(struct generation_work *work);

/* Frees the candidates and what else the reading left in work. */
void generation_orders_fini(struct generation_work *work);

/* The candidate of a path, or NULL. */
const struct generation_candidate *generation_orders_find(const struct generation_work *work,
                                                          const char *path);
