/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows of `metrics`: the address at which Prometheus asks. Nobody is listened to without the key.
 */
#pragma once

#include "forwarder/config/config.h"
#include "forwarder/config/config_table.h"

/* Fills the metrics of the struct config that field points to. */
config_read_fn config_metrics_read;

bool config_metrics_equal(const struct config_metrics *a, const struct config_metrics *b);
