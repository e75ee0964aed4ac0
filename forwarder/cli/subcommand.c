/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tables of commands below a command (see subcommand.h).
 */
#include "forwarder/cli/subcommand.h"

#include <stdio.h>
#include <string.h>

#include "forwarder/cli/cli_output.h"
#include "policy/yaml_scalar.h"

static const struct subcommand *find(const struct subcommand_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->rows[i].name, name) == 0) {
            return &set->rows[i];
        }
    }
    return NULL;
}

uint64_t subcommand_options(const struct subcommand_set *set)
{
    uint64_t options = set->always;
    for (size_t i = 0; i < set->count; i++) {
        options |= set->rows[i].options;
    }
    return options;
}

bool subcommand_help(const struct subcommand_set *set, const char *name)
{
    const struct subcommand *command = name == NULL ? NULL : find(set, name);
    if (name != NULL && command == NULL) {
        return false;
    }
    if (command != NULL) {
        printf("usage: bailiwick %s %s %s %s\n\n%s\n\n", set->name, command->name,
               set->always_usage, command->usage, command->help);
        cli_options_help(command->options | set->always, stdout);
        return true;
    }
    printf("usage: bailiwick %s COMMAND %s [OPTION...] [OPERAND...]\n\n", set->name,
           set->always_usage);
    for (size_t i = 0; i < set->count; i++) {
        printf("  %-8s %s\n", set->rows[i].name, set->rows[i].help);
    }
    printf("\n'bailiwick help %s COMMAND' says more. Options:\n\n", set->name);
    cli_options_help(subcommand_options(set), stdout);
    return true;
}

static enum command_exit misused(const struct subcommand_set *set, const char *name,
                                 const char *why)
{
    cli_output_error("%s%s%s: %s; see 'bailiwick help %s%s%s'", set->name, *name == '\0' ? "" : " ",
                     name, why, set->name, *name == '\0' ? "" : " ", name);
    return COMMAND_MISUSED;
}

/* Are the options those that the command takes and needs? Else why says what is wrong. */
static bool options_fit(const struct subcommand_set *set, const struct subcommand *command,
                        const struct cli_options *options, char why[static WHY_MAX])
{
    uint64_t allowed = command->options | set->always | CLI_OPTION_BIT(CLI_OPTION_HELP);
    for (unsigned i = 0; i < CLI_OPTIONS; i++) {
        const char *name = cli_options_name((enum cli_option)i);
        bool given = options->value[i] != NULL;
        if (given && (allowed & CLI_OPTION_BIT(i)) == 0) {
            snprintf(why, WHY_MAX, "unknown option: --%s", name);
            return false;
        }
        if (!given && (command->required & CLI_OPTION_BIT(i)) != 0) {
            snprintf(why, WHY_MAX, "the option --%s is missing", name);
            return false;
        }
        if (given && !yaml_scalar_valid(options->value[i])) {
            snprintf(why, WHY_MAX, "the value of --%s is not UTF-8", name);
            return false;
        }
    }
    return true;
}

static bool operands_fit(const struct subcommand *command, const struct cli_options *options,
                         char why[static WHY_MAX])
{
    if (options->operand_count < command->operands_min) {
        snprintf(why, WHY_MAX, "an operand is missing");
        return false;
    }
    if (options->operand_count > command->operands_max) {
        snprintf(why, WHY_MAX, "too many operands");
        return false;
    }
    for (int i = 0; i < options->operand_count; i++) {
        if (!yaml_scalar_valid(options->operands[i])) {
            snprintf(why, WHY_MAX, "an operand is not UTF-8");
            return false;
        }
    }
    return true;
}

enum command_exit subcommand_run(const struct subcommand_set *set,
                                 const struct cli_options *options)
{
    char why[WHY_MAX];
    struct cli_options rest = *options;
    const struct subcommand *command = find(set, options->operands[0]);
    if (command == NULL) {
        snprintf(why, sizeof why, "no such command: %s", options->operands[0]);
        return misused(set, "", why);
    }
    rest.operands++;
    rest.operand_count--;
    if (!options_fit(set, command, &rest, why) || !operands_fit(command, &rest, why)) {
        return misused(set, command->name, why);
    }
    return command->run(&rest);
}
