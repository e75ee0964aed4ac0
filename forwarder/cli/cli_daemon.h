/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Asking the running daemon of a configuration: which socket it listens on comes from there.
 */
#pragma once

#include <jansson.h>

struct cli_options;
struct problem_list;

/* How long the daemon may take: what it knows it tells at once; a reload reads every file. */
#define CLI_DAEMON_TELL_S 5U
#define CLI_DAEMON_RELOAD_S 600U

/* Sends the request, of which it takes the reference, and returns the response (see
 * control_client_ask). NULL, said on standard error, without one. */
json_t *cli_daemon_ask(const struct cli_options *options, json_t *request, unsigned timeout_s);

/* The same for requests that fail as a whole: takes the result out of the response. NULL, said on
 * standard error, if the response is not ok. */
json_t *cli_daemon_tell(const struct cli_options *options, json_t *request);

/* Appends the problems of an object with "errors" and "warnings" (status, or the result of a
 * reload), each with since when it stands. */
void cli_daemon_problems(const json_t *object, struct problem_list *out);

/* A word for how a server behind is, of an object of status: up, down or drained. */
const char *cli_daemon_upstream_state(const json_t *upstream);
