/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The audit record as the main thread sees it: events go in, a thread of its own writes them
 * (audit_writer.h), and how that stands can be asked at any time. Nothing here waits for a disk.
 */
#pragma once

#include "forwarder/server/audit_writer.h"

struct auditor;

/* Under this folder, "state", which is made where there is none, and belongs to this one daemon as
 * long as it runs. NULL with a reason: it belongs to another. */
struct auditor *auditor_new(const char *state, char why[static WHY_MAX]);

/* Hands an event over: what it points to is the auditor's now. An event that finds no room, or no
 * memory, is part of a gap in the record. */
void auditor_put(struct auditor *auditor, struct audit_event *event);

/* The same for an event that is only told; takes the text, NULL is an event lost. */
void auditor_tell(struct auditor *auditor, int64_t now, char *members);

/* Tries again to write what is due, if something is. */
void auditor_retry(struct auditor *auditor, int64_t now);

/* How it stood after the last event that was written. */
void auditor_state(struct auditor *auditor, struct audit_writer_state *out);

/* Waits until all is written, at most so long; is it? */
bool auditor_finish(struct auditor *auditor, unsigned timeout_ms);
void auditor_free(struct auditor *auditor); /* NULL is allowed */
