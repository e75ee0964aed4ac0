/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The metrics that Prometheus' own libraries give of any process, by the same names: processor
 * time, memory, descriptors. What the system does not tell is left out.
 */
#pragma once

#include <stdint.h>

struct metrics_text;

/* started: of the process, seconds since the epoch. */
void metrics_process_write(struct metrics_text *text, int64_t started);
