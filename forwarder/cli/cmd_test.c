/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick test`: would this client get an answer for this name? From the files by the daemon's
 * own code, or with --live from the daemon itself. Both come as one object, the person's text as
 * its key "text", so that showing them is one function.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "forwarder/cli/cli_daemon.h"
#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/cli_set.h"
#include "forwarder/cli/command.h"
#include "forwarder/cli/test_batch.h"
#include "forwarder/explain/explain.h"
#include "forwarder/explain/explain_question.h"
#include "forwarder/explain/json_put.h"

static json_t *explain_here(const struct generation *generation,
                            const struct explain_question *question)
{
    json_t *object = explain_json(generation, question);
    char *text = explain_text(generation, question);
    json_put(&object, "text", text == NULL ? NULL : json_string(text));
    free(text);
    return object;
}

static json_t *ask_files(const struct cli_options *options, int64_t now,
                         const struct explain_question *question)
{
    struct cli_set set;
    if (!cli_set_load(&set, cli_options_config(options), now, question->now)) {
        return NULL;
    }
    json_t *object = explain_here(set.generation, question);
    if (object == NULL) {
        cli_output_error("out of memory");
    }
    cli_set_free(&set);
    return object;
}

/* Sends the question as it was written; the daemon reads it as we do. */
static json_t *ask_daemon(const struct cli_options *options)
{
    json_t *request = json_object();
    json_put_text(&request, "command", "test");
    json_put_text(&request, "address", options->operands[0]);
    json_put_text(&request, "name", options->operands[1]);
    if (options->operand_count > 2) {
        json_put_text(&request, "type", options->operands[2]);
    }
    if (cli_options_has(options, CLI_OPTION_AT)) {
        json_put_text(&request, "time", options->value[CLI_OPTION_AT]);
    }
    return cli_daemon_tell(options, request);
}

static enum command_exit show(json_t *object, bool json)
{
    const char *verdict = json_string_value(json_object_get(object, "verdict"));
    const char *text = json_string_value(json_object_get(object, "text"));
    if (verdict == NULL || text == NULL) {
        cli_output_error("the daemon is of another version: its answer has no verdict");
        return COMMAND_FAILED;
    }
    enum command_exit status = strcmp(verdict, "block") == 0 ? COMMAND_BLOCKED : COMMAND_DONE;
    if (!json) {
        fputs(text, stdout);
        return status;
    }
    json_object_del(object, "text");
    return cli_output_json(object) ? status : COMMAND_FAILED;
}

/* The instant to judge at: --at, or now. False, said on standard error, if it cannot be read. */
static bool read_time(const struct cli_options *options, int64_t now, int64_t *at)
{
    char why[WHY_MAX];
    *at = now;
    if (cli_options_has(options, CLI_OPTION_AT) &&
        !explain_question_time(options->value[CLI_OPTION_AT], at, why)) {
        cli_output_usage("test", why);
        return false;
    }
    return true;
}

static enum command_exit run_single(const struct cli_options *options, int64_t now, int64_t at)
{
    char why[WHY_MAX];
    struct explain_question question = {.now = at};
    const char *type = options->operand_count > 2 ? options->operands[2] : NULL;
    if (!explain_question_parse(&question, options->operands[0], options->operands[1], type, why)) {
        cli_output_usage("test", why);
        return COMMAND_MISUSED;
    }
    for (int i = 0; i < options->answer_count; i++) {
        if (!explain_question_add_link(&question, options->answers[i], why)) {
            cli_output_usage("test", why);
            return COMMAND_MISUSED;
        }
    }
    json_t *object = cli_options_has(options, CLI_OPTION_LIVE) ? ask_daemon(options)
                                                               : ask_files(options, now, &question);
    if (object == NULL) {
        return COMMAND_FAILED;
    }
    enum command_exit status = show(object, cli_options_has(options, CLI_OPTION_JSON));
    json_decref(object);
    return status;
}

static enum command_exit run_lines(const struct cli_options *options, int64_t now, int64_t at,
                                   FILE *in)
{
    struct cli_set set;
    if (!cli_set_load(&set, cli_options_config(options), now, at)) {
        return COMMAND_FAILED;
    }
    struct test_batch batch = {
        .generation = set.generation,
        .name = in == stdin ? "standard input" : options->value[CLI_OPTION_BATCH],
        .now = at,
        .json = cli_options_has(options, CLI_OPTION_JSON),
    };
    bool good = test_batch_run(&batch, in);
    cli_set_free(&set);
    return good ? COMMAND_DONE : COMMAND_FAILED;
}

static enum command_exit run_batch(const struct cli_options *options, int64_t now, int64_t at)
{
    const char *path = options->value[CLI_OPTION_BATCH];
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (in == NULL) {
        cli_output_error("%s: %s", path, strerror(errno));
        return COMMAND_FAILED;
    }
    enum command_exit status = run_lines(options, now, at, in);
    if (in != stdin) {
        fclose(in);
    }
    return status;
}

/* What the table of commands cannot tell. NULL: nothing. */
static const char *find_misuse(const struct cli_options *options)
{
    if (options->answer_count > 0 &&
        (cli_options_has(options, CLI_OPTION_BATCH) || cli_options_has(options, CLI_OPTION_LIVE))) {
        return "--answer goes with neither --batch nor --live";
    }
    if (!cli_options_has(options, CLI_OPTION_BATCH)) {
        return options->operand_count < 2 ? "an ADDRESS and a NAME are expected" : NULL;
    }
    if (options->operand_count > 0) {
        return "--batch takes no ADDRESS and NAME";
    }
    return cli_options_has(options, CLI_OPTION_LIVE) ? "--batch and --live do not go together"
                                                     : NULL;
}

enum command_exit cmd_test(const struct cli_options *options)
{
    const char *misuse = find_misuse(options);
    int64_t now = (int64_t)time(NULL);
    int64_t at;
    if (misuse != NULL) {
        cli_output_usage("test", misuse);
        return COMMAND_MISUSED;
    }
    if (!read_time(options, now, &at)) {
        return COMMAND_MISUSED;
    }
    return cli_options_has(options, CLI_OPTION_BATCH) ? run_batch(options, now, at)
                                                      : run_single(options, now, at);
}
