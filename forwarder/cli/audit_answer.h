/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Was an order in force at an instant? The answer of the audit record: yes, no or not known, from
 * when to when, why, and what makes it uncertain.
 */
#pragma once

#include "forwarder/cli/audit_history.h"

enum audit_in_force {
    AUDIT_IN_FORCE,
    AUDIT_NOT_IN_FORCE,
    AUDIT_IN_FORCE_UNKNOWN,
};

struct audit_answer {
    enum audit_in_force in_force;
    const char *why;                 /* of one that is not in force, or not known; else NULL */
    const struct audit_spell *spell; /* the version, if there was one */
    int64_t since;                   /* from when this is so; INT64_MIN: the record does not say */
    int64_t until;                   /* until when; INT64_MAX: it was still so at the end */
};

/* Borrows from the history. */
void audit_answer_find(const struct audit_history *history, int64_t instant,
                       struct audit_answer *out);

/* The answer with everything it rests on, as an object; now is the time at which it is asked. NULL
 * when memory is out. */
json_t *audit_answer_json(const struct audit_history *history, int64_t instant, int64_t now);
