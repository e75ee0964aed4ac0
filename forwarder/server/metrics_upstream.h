/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Metrics of the servers behind, by address.
 */
#pragma once

struct metrics_text;
struct upstream_set;

void metrics_upstream_write(struct metrics_text *text, const struct upstream_set *set);
