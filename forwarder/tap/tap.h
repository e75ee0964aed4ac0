/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dnstap: workers report queries, each into a ring of its own, and a thread writes them out. A
 * worker never waits for it: if its ring is full, because the receiver or the disk does not keep
 * up, the event is lost and counted. What the thread could not write is counted too.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "geo/problem.h"

struct config_dnstap;
struct dnstap_event;
struct tap;

/* A tap without rings yet; config is borrowed. Opens neither socket nor file: the thread does, and
 * waits for a receiver that is not there. NULL with a reason. */
struct tap *tap_new(const struct config_dnstap *config, char why[static WHY_MAX]);

/* Makes rings for so many workers (at most CONFIG_WORKERS_MAX) if there are fewer. To be called
 * before the last of these workers starts. False when memory is out. */
bool tap_widen(struct tap *tap, unsigned workers);
void tap_free(struct tap *tap); /* its thread has ended, or never began; NULL is allowed */

/* The body of the thread; ctx is the tap. It ends after tap_stop, once it has written what the
 * rings hold or given that up: a receiver that hangs gets a few times TAP_SINK_PATIENCE_MS. Only a
 * disk that hangs can make it take longer. */
void *tap_run(void *ctx);
void tap_stop(struct tap *tap);

/* Waits for that end, at most so long; has it come? Then joining the thread takes no time. */
bool tap_await_end(struct tap *tap, int timeout_ms);

/* A file that was moved away is begun anew. From any thread, at any time. */
void tap_reopen(struct tap *tap);

/* For workers. Is every query reported, or only what is blocked? */
bool tap_wants_all(const struct tap *tap);

/* Reports one event, whose identity and version are set here. No allocation, no lock, no system
 * call. */
void tap_put(struct tap *tap, unsigned worker, struct dnstap_event *event);

struct tap_counts {
    uint64_t written; /* taken whole by the socket or the file */
    uint64_t lost;
};

/* All zero for NULL. From any thread. */
struct tap_counts tap_counts(const struct tap *tap);
