/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The networks that no order may block, as the operator lists them. Sealed once, immutable; asked
 * while orders and lists are read, never on a query's path.
 */
#pragma once

#include <stddef.h>

#include "geo/network.h"

struct problem_list;
struct protected_networks;

/* Reads networks and addresses from memory (one a line, # comments); they may overlap. Every bad
 * line is an error in problems and the result is then NULL; so it is when memory is out. */
struct protected_networks *protected_networks_new(const char *name, const char *bytes, size_t size,
                                                  struct problem_list *problems);
void protected_networks_free(struct protected_networks *networks); /* NULL is allowed */

/* A protected network that shares an address with this one, borrowed; NULL if there is none.
 * networks may be NULL: nothing is protected. */
const struct network *protected_networks_find(const struct protected_networks *networks,
                                              const struct network *network);
