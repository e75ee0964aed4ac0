/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One question to the running daemon over its control socket: a line of JSON each way, then the
 * daemon closes. Blocking, with a time limit.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "geo/problem.h"

/* Sends the request, an object, to the Unix stream socket at path and returns the response: an
 * object whose "ok" is a boolean. NULL, with a sentence in why, when nobody listens there, when the
 * answer takes longer than timeout_s or is no such object. */
json_t *control_client_ask(const char *path, const json_t *request, unsigned timeout_s,
                           char why[static WHY_MAX]);

/* Is there certainly nobody at the socket: no such path, or nobody who listens? */
bool control_client_nobody(const char *path);
