/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The key `upstream` of forwarder.conf: which servers answer, and how they are asked.
 */
#pragma once

#include "forwarder/config/config_table.h"

struct config_upstream;

/* Fills struct config_upstream. */
extern const struct config_table config_upstream_table;

/* Frees what it points to. */
void config_upstream_fini(struct config_upstream *upstream);

bool config_upstream_equal(const struct config_upstream *a, const struct config_upstream *b);
