/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick reload`: the daemon reads every file again; this returns when the new set is in force,
 * or says what is not.
 */
#include <stdio.h>

#include "forwarder/cli/cli_daemon.h"
#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/command.h"
#include "forwarder/explain/plain_text.h"
#include "forwarder/explain/problem_report.h"
#include "geo/problem.h"

#define INSTANT_MAX 64

static void report_problems(const json_t *result)
{
    struct problem_list problems;
    problem_list_init(&problems);
    cli_daemon_problems(result, &problems);
    problem_report(&problems, stderr);
    problem_list_fini(&problems);
}

/* Some files may be in force at their last good version: then there is an error and a generation.
 */
static enum command_exit show(const json_t *response)
{
    const json_t *result = json_object_get(response, "result");
    const json_t *generation = json_object_get(result, "generation");
    const char *loaded = json_string_value(json_object_get(result, "loaded"));
    const char *error = json_string_value(json_object_get(response, "error"));
    bool ok = json_is_true(json_object_get(response, "ok"));
    report_problems(result);
    if (!ok) {
        cli_output_error("reload: %s", error == NULL ? "not everything is in force" : error);
    }
    if (json_is_integer(generation)) {
        char since[INSTANT_MAX];
        printf("generation %" JSON_INTEGER_FORMAT " in force since %s\n",
               json_integer_value(generation),
               plain_text(loaded == NULL ? "?" : loaded, since, sizeof since));
    }
    return ok ? COMMAND_DONE : COMMAND_FAILED;
}

enum command_exit cmd_reload(const struct cli_options *options)
{
    json_t *request = json_pack("{s:s, s:b, s:b}", "command", "reload", "strict",
                                (int)cli_options_has(options, CLI_OPTION_STRICT), "accept-shrink",
                                (int)cli_options_has(options, CLI_OPTION_ACCEPT_SHRINK));
    json_t *response = cli_daemon_ask(options, request, CLI_DAEMON_RELOAD_S);
    if (response == NULL) {
        return COMMAND_FAILED;
    }
    enum command_exit status = show(response);
    json_decref(response);
    return status;
}
