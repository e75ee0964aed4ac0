/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Metrics of the listeners, by address and transport over all workers: what the kernel dropped
 * there, and what it holds.
 */
#pragma once

struct metrics_text;
struct status_view;

void metrics_listeners_write(struct metrics_text *text, const struct status_view *view);
