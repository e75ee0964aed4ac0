/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Asking the daemon (see cli_daemon.h).
 */
#include "forwarder/cli/cli_daemon.h"

#include <limits.h>

#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/cli_set.h"
#include "forwarder/cli/control_client.h"
#include "forwarder/config/config.h"

json_t *cli_daemon_ask(const struct cli_options *options, json_t *request, unsigned timeout_s)
{
    char why[WHY_MAX] = "out of memory";
    json_t *response = NULL;
    struct config *config = request == NULL ? NULL : cli_set_config(cli_options_config(options));
    if (config != NULL) {
        response = control_client_ask(config->control, request, timeout_s, why);
    }
    if ((config != NULL || request == NULL) && response == NULL) {
        cli_output_error("%s", why);
    }
    config_free(config);
    json_decref(request);
    return response;
}

json_t *cli_daemon_tell(const struct cli_options *options, json_t *request)
{
    json_t *response = cli_daemon_ask(options, request, CLI_DAEMON_TELL_S);
    json_t *result = NULL;
    if (json_is_true(json_object_get(response, "ok"))) {
        result = json_incref(json_object_get(response, "result"));
    } else if (response != NULL) {
        const char *error = json_string_value(json_object_get(response, "error"));
        cli_output_error("the daemon says: %s", error == NULL ? "no" : error);
    }
    json_decref(response);
    return result;
}

static unsigned place(const json_t *problem, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(problem, key));
    return value > 0 && value <= (json_int_t)UINT_MAX ? (unsigned)value : 0;
}

static const char *text_of(const json_t *problem, const char *key)
{
    const char *text = json_string_value(json_object_get(problem, key));
    return text == NULL ? "?" : text;
}

void cli_daemon_problems(const json_t *object, struct problem_list *out)
{
    static const struct {
        const char *key;
        const char *text;
        enum problem_level level;
    } kinds[] = {{"errors", "error", PROBLEM_ERROR}, {"warnings", "warning", PROBLEM_WARNING}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t index;
        const json_t *problem;
        json_array_foreach(json_object_get(object, kinds[i].key), index, problem)
        {
            problem_list_add(out, kinds[i].level, text_of(problem, "file"), place(problem, "line"),
                             place(problem, "column"), "%s (since %s)",
                             text_of(problem, kinds[i].text), text_of(problem, "since"));
        }
    }
}

const char *cli_daemon_upstream_state(const json_t *upstream)
{
    if (json_is_true(json_object_get(upstream, "drained"))) {
        return "drained";
    }
    return json_is_true(json_object_get(upstream, "up")) ? "up" : "down";
}
