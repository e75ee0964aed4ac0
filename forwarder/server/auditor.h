/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The audit record as the main thread sees it: events go in, a thread of its own writes them
 * (audit_writer.h), and its state can be asked at any time. Only auditor_finish and
 * auditor_free wait for the disk.
 */
#pragma once

#include "forwarder/server/audit_writer.h"

struct auditor;

/* state is the folder under which it writes; it is made if it is missing, and locked for this
 * daemon as long as it runs. NULL with a reason: another daemon holds it. */
struct auditor *auditor_new(const char *state, char why[static WHY_MAX]);

/* Hands an event over: what it points to is the auditor's now. An event that finds no room, or no
 * memory, is part of a gap in the record. */
void auditor_put(struct auditor *auditor, struct audit_event *event);

/* The same for an event that is only its members' text, which is taken over; NULL is an event lost.
 */
void auditor_tell(struct auditor *auditor, int64_t now, char *members);

/* Tries again to write what could not be written, if there is anything. */
void auditor_retry(struct auditor *auditor, int64_t now);

/* The writer's state after the last event that it handled. */
void auditor_state(struct auditor *auditor, struct audit_writer_state *out);

/* Events that were put, and of which nobody knows yet what became. */
uint64_t auditor_waiting(const struct auditor *auditor);

/* Waits until everything is written, at most so long. Is it? */
bool auditor_finish(struct auditor *auditor, unsigned timeout_ms);
void auditor_free(struct auditor *auditor); /* NULL is allowed */
