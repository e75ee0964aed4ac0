/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Metrics of orders: how many there are in which state, what each has blocked, and which are due
 * for review.
 */
#pragma once

struct metrics_text;
struct status_view;

void metrics_orders_write(struct metrics_text *text, const struct status_view *view);
