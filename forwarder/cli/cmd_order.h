/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The commands below `bailiwick order`: a function each. cmd_order.c holds the table of them, with
 * what each takes (subcommand.h).
 */
#pragma once

#include "forwarder/cli/command.h"

enum command_exit cmd_order_new(const struct cli_options *options);
enum command_exit cmd_order_add(const struct cli_options *options);
enum command_exit cmd_order_remove(const struct cli_options *options);
enum command_exit cmd_order_suspend(const struct cli_options *options);
enum command_exit cmd_order_lift(const struct cli_options *options);
enum command_exit cmd_order_resume(const struct cli_options *options);
enum command_exit cmd_order_ingest(const struct cli_options *options);
