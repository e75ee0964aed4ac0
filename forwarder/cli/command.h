/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The commands of the operator's tool: a function and a file each. main.c holds the table of them,
 * with what each takes; a command is called with options that it takes and as many operands as its
 * row allows. What a command writes to standard output is checked by main at the end.
 */
#pragma once

#include <stdbool.h>

struct cli_options;
struct subcommand_set;

/* Exit statuses (EXIT STATUS in bailiwick(1)). */
enum command_exit {
    COMMAND_DONE = 0,
    COMMAND_FAILED = 1,  /* said on standard error */
    COMMAND_MISUSED = 2, /* said on standard error, with where help is */
    COMMAND_BLOCKED = 3, /* a single test whose verdict is block */
};

enum command_exit cmd_test(const struct cli_options *options);
enum command_exit cmd_country(const struct cli_options *options);
enum command_exit cmd_orders(const struct cli_options *options);
enum command_exit cmd_check(const struct cli_options *options);
enum command_exit cmd_diff(const struct cli_options *options);
enum command_exit cmd_impact(const struct cli_options *options);
enum command_exit cmd_status(const struct cli_options *options);
enum command_exit cmd_top(const struct cli_options *options);
enum command_exit cmd_reload(const struct cli_options *options);
enum command_exit cmd_upstream(const struct cli_options *options);
enum command_exit cmd_order(const struct cli_options *options);
enum command_exit cmd_audit(const struct cli_options *options);

/* The commands below order and audit. */
const struct subcommand_set *cmd_order_set(void);
const struct subcommand_set *cmd_audit_set(void);
