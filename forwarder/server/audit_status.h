/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What status says about the audit record and the counts under `state`.
 */
#pragma once

#include <jansson.h>

struct status_view;

/* A new reference; NULL when memory is out. */
json_t *audit_status_json(const struct status_view *view);

/* Appends a warning for each thing that is not recorded, or not as it should be. */
void audit_status_warn(json_t *warnings, const struct status_view *view);
