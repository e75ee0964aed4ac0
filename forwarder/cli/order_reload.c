/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A reload for a few files (see order_reload.h). What the daemon says of other files is theirs: an
 * error in FR is no failure of an edit in IT.
 */
#include "forwarder/cli/order_reload.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "forwarder/cli/cli_daemon.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/control_client.h"
#include "forwarder/config/config.h"
#include "forwarder/explain/problem_report.h"
#include "policy/instant.h"

static bool is_ours(const struct problem *problem, char *const *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(problem->file, files[i]) == 0) {
            return problem->level == PROBLEM_ERROR;
        }
    }
    return false;
}

/* Reports the errors in these files. Returns how many there are; in *others those of other files.
 */
static size_t report_ours(const struct problem_list *problems, char *const *files, size_t count,
                          size_t *others)
{
    size_t ours = 0;
    *others = 0;
    for (size_t i = 0; i < problems->count; i++) {
        struct problem item = problems->items[i];
        if (is_ours(&item, files, count)) {
            const struct problem_list one = {.items = &item, .count = 1};
            problem_report(&one, stderr);
            ours++;
        } else if (item.level == PROBLEM_ERROR) {
            ++*others;
        }
    }
    return ours;
}

static bool is_new(const json_t *result, int64_t since)
{
    const char *loaded = json_string_value(json_object_get(result, "loaded"));
    int64_t when;
    return loaded != NULL && instant_parse(loaded, strlen(loaded), &when) && when >= since;
}

bool order_reload(const struct config *config, char *const *files, size_t count, int64_t since)
{
    char why[WHY_MAX] = "out of memory";
    if (control_client_nobody(config->control)) {
        cli_output_error("no daemon runs (%s); it will read this when it starts", config->control);
        return true;
    }
    json_t *request = json_pack("{s:s, s:b}", "command", "reload", "strict", 0);
    json_t *response = request == NULL
                           ? NULL
                           : control_client_ask(config->control, request, CLI_DAEMON_RELOAD_S, why);
    json_decref(request);
    if (response == NULL) {
        cli_output_error("written, but not reloaded: %s", why);
        return false;
    }
    struct problem_list problems;
    size_t others;
    problem_list_init(&problems);
    const json_t *result = json_object_get(response, "result");
    cli_daemon_problems(result, &problems);
    size_t ours = report_ours(&problems, files, count, &others);
    bool in_force = is_new(result, since);
    if (ours > 0 || !in_force) {
        cli_output_error("written, but not in force: %s",
                         ours > 0 ? "the daemon refuses it"
                                  : "the daemon could not load its files; see 'bailiwick status'");
    } else if (others > 0) {
        cli_output_error("in force; %zu %s in other files, see 'bailiwick status'", others,
                         others == 1 ? "error stands" : "errors stand");
    }
    problem_list_fini(&problems);
    json_decref(response);
    return ours == 0 && in_force;
}
