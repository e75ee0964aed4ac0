/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a load did, as log events: each order that came, changed, went, failed or is kept.
 */
#pragma once

struct generation_work;

void generation_log_load(const struct generation_work *work);
