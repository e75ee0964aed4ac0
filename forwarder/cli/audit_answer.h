/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Was an order in force at an instant? The answer of the audit record: yes, no or not known, from
 * when to when, why, and what makes it uncertain.
 */
#pragma once

#include "forwarder/cli/audit_history.h"

/* The answer with everything it rests on, as an object; now is the time at which it is asked. NULL
 * when memory is out. */
json_t *audit_answer_json(const struct audit_history *history, int64_t instant, int64_t now);
