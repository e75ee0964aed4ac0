/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick order`: a table of the commands below it, and the dispatch over it.
 */
#include "forwarder/cli/cmd_order.h"

#include <stdio.h>
#include <string.h>

#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "policy/yaml_scalar.h"

#define BIT(option) CLI_OPTION_BIT(CLI_OPTION_##option)
#define ALWAYS (BIT(CONFIG) | BIT(BY) | BIT(HELP))
#define MANY 1000000

static const struct order_command {
    const char *name;
    enum command_exit (*run)(const struct cli_options *options);
    unsigned options;
    unsigned required;
    int operands_min;
    int operands_max;
    const char *usage;
    const char *help;
} commands[] = {
    {"new", cmd_order_new,
     BIT(COUNTRY) | BIT(ID) | BIT(AUTHORITY) | BIT(ISSUED) | BIT(TITLE) | BIT(REFERENCE) |
         BIT(EFFECTIVE) | BIT(UNTIL) | BIT(TIMEZONE) | BIT(ACTION) | BIT(MESSAGE) | BIT(REASON),
     BIT(COUNTRY) | BIT(ID) | BIT(AUTHORITY), 1, MANY,
     "--country CC --id ID --authority TEXT [OPTION...] NAME...", "write the file of a new order"},
    {"add", cmd_order_add, BIT(REASON), 0, 2, MANY, "[--reason TEXT] ID NAME...",
     "add names: NAME with all below it, =NAME alone, !NAME never"},
    {"remove", cmd_order_remove, BIT(REASON), 0, 2, MANY, "[--reason TEXT] ID NAME...",
     "remove names"},
    {"suspend", cmd_order_suspend, BIT(REASON) | BIT(ALL) | BIT(COUNTRY), BIT(REASON), 0, 1,
     "--reason TEXT (ID | --all --country CC)", "take an order out of force until it is resumed"},
    {"lift", cmd_order_lift, BIT(REASON) | BIT(ALL) | BIT(COUNTRY), BIT(REASON), 0, 1,
     "--reason TEXT (ID | --all --country CC)", "end an order for good"},
    {"resume", cmd_order_resume, BIT(REASON) | BIT(ALL) | BIT(COUNTRY), BIT(REASON), 0, 1,
     "--reason TEXT (ID | --all --country CC)", "put a suspended order in force again"},
    {"ingest", cmd_order_ingest, BIT(ORDER) | BIT(TICKETS) | BIT(LIST) | BIT(JSON) | BIT(REASON),
     BIT(ORDER) | BIT(TICKETS), 0, 0, "--order ID --tickets FILE [--list LIST] [--json]",
     "add the names of tickets, and answer each"},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static const struct order_command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

unsigned cmd_order_options(void)
{
    unsigned options = ALWAYS;
    for (size_t i = 0; i < COMMANDS; i++) {
        options |= commands[i].options;
    }
    return options;
}

bool cmd_order_help(const char *name)
{
    const struct order_command *command = name == NULL ? NULL : find_command(name);
    if (name != NULL && command == NULL) {
        return false;
    }
    if (command != NULL) {
        printf("usage: bailiwick order %s [--config FILE] [--by TEXT] %s\n\n%s\n\n", command->name,
               command->usage, command->help);
        cli_options_help(command->options | (ALWAYS & ~BIT(HELP)), stdout);
        return true;
    }
    puts("usage: bailiwick order COMMAND [--config FILE] [--by TEXT] [OPTION...] [OPERAND...]\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        printf("  %-8s %s\n", commands[i].name, commands[i].help);
    }
    puts("\n'bailiwick help order COMMAND' says more. Options:\n");
    cli_options_help(cmd_order_options() & ~BIT(HELP), stdout);
    return true;
}

static enum command_exit misused(const char *name, const char *why)
{
    cli_output_error("order%s%s: %s; see 'bailiwick help order%s%s'", *name == '\0' ? "" : " ",
                     name, why, *name == '\0' ? "" : " ", name);
    return COMMAND_MISUSED;
}

/* Are the options those that the command takes and needs? Else why says what is wrong. */
static bool options_fit(const struct order_command *command, const struct cli_options *options,
                        char why[static WHY_MAX])
{
    for (unsigned i = 0; i < CLI_OPTIONS; i++) {
        const char *name = cli_options_name((enum cli_option)i);
        bool given = options->value[i] != NULL;
        if (given && ((command->options | ALWAYS) & CLI_OPTION_BIT(i)) == 0) {
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

static bool operands_fit(const struct order_command *command, const struct cli_options *options,
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

enum command_exit cmd_order(const struct cli_options *options)
{
    char why[WHY_MAX];
    struct cli_options rest = *options;
    const struct order_command *command = find_command(options->operands[0]);
    if (command == NULL) {
        snprintf(why, sizeof why, "no such command: %s", options->operands[0]);
        return misused("", why);
    }
    rest.operands++;
    rest.operand_count--;
    if (!options_fit(command, &rest, why) || !operands_fit(command, &rest, why)) {
        return misused(command->name, why);
    }
    return command->run(&rest);
}
