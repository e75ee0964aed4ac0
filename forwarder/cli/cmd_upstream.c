/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick upstream`: the servers behind as the running daemon sees them; `drain` has one asked
 * nothing more, `undrain` has it asked again.
 */
#include <stdio.h>
#include <string.h>

#include "forwarder/cli/cli_daemon.h"
#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/cli_table.h"
#include "forwarder/cli/command.h"

#define CELL_MAX 24

static bool show(const json_t *upstreams)
{
    struct cli_table table;
    size_t index;
    const json_t *upstream;
    cli_table_init(&table, 3);
    cli_table_add(&table, "ADDRESS");
    cli_table_add(&table, "STATE");
    cli_table_add(&table, "OUTSTANDING");
    json_array_foreach(upstreams, index, upstream)
    {
        const char *address = json_string_value(json_object_get(upstream, "address"));
        char outstanding[CELL_MAX];
        snprintf(outstanding, sizeof outstanding, "%" JSON_INTEGER_FORMAT,
                 json_integer_value(json_object_get(upstream, "outstanding")));
        cli_table_add(&table, address == NULL ? "-" : address);
        cli_table_add(&table, cli_daemon_upstream_state(upstream));
        cli_table_add(&table, outstanding);
    }
    bool whole = !table.failed && cli_table_print(&table, "", stdout);
    cli_table_fini(&table);
    if (!whole) {
        cli_output_error("out of memory");
    }
    return whole;
}

static enum command_exit ask(const struct cli_options *options, json_t *request)
{
    json_t *result = cli_daemon_tell(options, request);
    if (result == NULL) {
        return COMMAND_FAILED;
    }
    json_t *upstreams = json_object_get(result, "upstreams");
    bool shown =
        cli_options_has(options, CLI_OPTION_JSON) ? cli_output_json(upstreams) : show(upstreams);
    json_decref(result);
    return shown ? COMMAND_DONE : COMMAND_FAILED;
}

static enum command_exit misused(const char *why)
{
    cli_output_usage("upstream", why);
    return COMMAND_MISUSED;
}

enum command_exit cmd_upstream(const struct cli_options *options)
{
    bool force = cli_options_has(options, CLI_OPTION_FORCE);
    const char *verb = options->operand_count > 0 ? options->operands[0] : NULL;
    bool drain = verb != NULL && strcmp(verb, "drain") == 0;
    if (force && !drain) {
        return misused("--force goes with drain");
    }
    if (verb == NULL) {
        return ask(options, json_pack("{s:s}", "command", "status"));
    }
    if (!drain && strcmp(verb, "undrain") != 0) {
        return misused("expected drain or undrain, or nothing");
    }
    if (options->operand_count < 2) {
        return misused("an operand is missing");
    }
    json_t *request = json_pack("{s:s, s:s}", "command", verb, "address", options->operands[1]);
    if (force) {
        json_object_set_new(request, "force", json_true());
    }
    return ask(options, request);
}
