/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The key `metrics` of forwarder.conf: the address at which Prometheus asks. Without it there is no
 * such listener.
 */
#pragma once

#include "forwarder/config/config.h"
#include "forwarder/config/config_table.h"

/* Fills the metrics of the struct config that field points to. */
config_read_fn config_metrics_read;

bool config_metrics_equal(const struct config_metrics *a, const struct config_metrics *b);
