/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What Prometheus is given, made from the same view as `bailiwick status`: all the metrics that
 * bailiwickd(8) lists under METRICS.
 */
#pragma once

#include <stdbool.h>

struct evbuffer;
struct status_view;

/* Appends all metrics as text; false when memory is out. */
bool metrics_write(const struct status_view *view, struct evbuffer *out);
