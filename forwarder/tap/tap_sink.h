/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where dnstap goes: Frame Streams by libfstrm, over a transport of our own that never waits long.
 * Either a Unix socket, on which a receiver says that it takes dnstap before anything is sent, or a
 * file. For one thread, which may wait; serving never does.
 *
 *   socket: closed ──► connected, agreed (READY, ACCEPT, START) ──► broken ──► closed
 *   file:   closed ──► begun (START) ──► closed, when it was moved away
 */
#pragma once

#include <stdbool.h>
#include <sys/uio.h>

#include "geo/problem.h"

struct config_dnstap;
struct tap_sink;

/* How long a receiver may take to agree, to take what is sent, or to say that it has all. */
#define TAP_SINK_PATIENCE_MS 1000

#define TAP_SINK_BATCH 64 /* messages written at once, at most */

/* Opens nothing. config is borrowed. NULL when memory is out. */
struct tap_sink *tap_sink_new(const struct config_dnstap *config);
void tap_sink_free(struct tap_sink *sink); /* closes; NULL is allowed */

/* False with a reason; to be tried again later. Does nothing if it is open. A regular file that is
 * there is moved to FILE.old first; what is no regular file is left alone, and is a reason. */
bool tap_sink_open(struct tap_sink *sink, char why[static WHY_MAX]);

/* Is it, or has the receiver left? Then it is closed. */
bool tap_sink_is_open(struct tap_sink *sink);

/* Writes count messages, at most TAP_SINK_BATCH. False with a reason: none of them counts as
 * written. A socket is closed then; a file goes on without them. */
bool tap_sink_write(struct tap_sink *sink, const struct iovec *messages, int count,
                    char why[static WHY_MAX]);

/* Says that the stream ends, and waits until the receiver has said that it has it all. */
void tap_sink_close(struct tap_sink *sink);

/* The same for a file that is not at its path any more: somebody rotates. */
void tap_sink_close_moved(struct tap_sink *sink);
