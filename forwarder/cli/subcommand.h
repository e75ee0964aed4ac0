/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Commands below a command, such as `bailiwick order add`: a table of them, and the dispatch over
 * it. A command is called with options that it takes, all that it needs among them, as many
 * operands as its row allows (behind its own name), and all of it UTF-8.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/command.h"

struct subcommand {
    const char *name;
    enum command_exit (*run)(const struct cli_options *options);
    uint64_t options;
    uint64_t required;
    int operands_min;
    int operands_max;
    const char *usage;
    const char *help;
};

struct subcommand_set {
    const char *name; /* of the command above */
    uint64_t always;  /* options that all of them take */
    const char *always_usage;
    const struct subcommand *rows;
    size_t count;
};

/* The usage of one of them, or of all (NULL). False if there is no such command. */
bool subcommand_help(const struct subcommand_set *set, const char *name);

/* All options that any of them takes. */
uint64_t subcommand_options(const struct subcommand_set *set);

/* Runs the one that the first operand names. */
enum command_exit subcommand_run(const struct subcommand_set *set,
                                 const struct cli_options *options);
