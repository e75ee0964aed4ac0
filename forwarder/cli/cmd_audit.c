/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick audit`: the table of the commands below it.
 */
#include "forwarder/cli/cmd_audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/cli_set.h"
#include "forwarder/cli/subcommand.h"
#include "forwarder/explain/explain_question.h"

#define BIT(option) CLI_OPTION_BIT(CLI_OPTION_##option)
#define MANY 1000000

static const struct subcommand commands[] = {
    {"verify", cmd_audit_verify, BIT(HEAD) | BIT(AFTER) | BIT(JSON), 0, 0, MANY,
     "[--head HASH] [--after HASH] [--json] [DIR...]",
     "read the record from end to end: is it as it was written?"},
    {"show", cmd_audit_show, BIT(ORDER) | BIT(AT) | BIT(JSON), 0, 0, MANY,
     "[--order ID [--at TIME]] [--json] [DIR...]",
     "all that was recorded; the history of an order; was it in force at a time"},
    {"export", cmd_audit_export, BIT(FROM) | BIT(TO) | BIT(JSON) | BIT(CSV) | BIT(MERGE), 0, 0,
     MANY, "[--from TIME] [--to TIME] [--json | --csv] [--merge FILE...]",
     "how often each order blocked, by country and hour"},
};

const struct subcommand_set *cmd_audit_set(void)
{
    static const struct subcommand_set set = {"audit", BIT(CONFIG), "[--config FILE]", commands,
                                              sizeof commands / sizeof commands[0]};
    return &set;
}

enum command_exit cmd_audit(const struct cli_options *options)
{
    return subcommand_run(cmd_audit_set(), options);
}

char *cmd_audit_below_state(const struct cli_options *options, const char *name)
{
    char *path = NULL;
    struct config *config = cli_set_config(cli_options_config(options));
    if (config == NULL) {
        return NULL;
    }
    if (asprintf(&path, "%s/%s", config->state, name) < 0) {
        path = NULL;
        cli_output_error("out of memory");
    }
    config_free(config);
    return path;
}

char **cmd_audit_folders(const struct cli_options *options)
{
    size_t count = (size_t)options->operand_count;
    char **folders = calloc(count + 2, sizeof *folders);
    bool whole = folders != NULL;
    if (whole && count == 0 && (folders[0] = cmd_audit_below_state(options, "audit")) == NULL) {
        free(folders);
        return NULL;
    }
    for (size_t i = 0; whole && i < count; i++) {
        folders[i] = strdup(options->operands[i]);
        whole = folders[i] != NULL;
    }
    if (!whole) {
        cli_output_error("out of memory");
        cmd_audit_folders_free(folders);
        return NULL;
    }
    return folders;
}

void cmd_audit_folders_free(char **folders)
{
    for (size_t i = 0; folders != NULL && folders[i] != NULL; i++) {
        free(folders[i]);
    }
    free(folders);
}

bool cmd_audit_files(char *const *folders, struct audit_files *out)
{
    char why[WHY_MAX];
    *out = (struct audit_files){0};
    for (size_t i = 0; folders[i] != NULL; i++) {
        if (!audit_files_add(out, folders[i], why)) {
            cli_output_error("%s", why);
            audit_files_fini(out);
            return false;
        }
    }
    return true;
}

bool cmd_audit_instant(const char *option, const char *text, int64_t *out)
{
    char why[WHY_MAX], usage[WHY_MAX + 16];
    if (!explain_question_time(text, out, why)) {
        snprintf(usage, sizeof usage, "--%s: %s", option, why);
        cli_output_usage("audit", usage);
        return false;
    }
    return true;
}
