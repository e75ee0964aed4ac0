/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The commands below `bailiwick audit`: a function each. cmd_audit.c holds the table of them, with
 * what each takes (subcommand.h), and what they share.
 */
#pragma once

#include <stdint.h>

#include "forwarder/cli/command.h"

enum command_exit cmd_audit_verify(const struct cli_options *options);
enum command_exit cmd_audit_show(const struct cli_options *options);
enum command_exit cmd_audit_export(const struct cli_options *options);

/* The folder of the record: the operand, or "audit" under `state` of the configuration; on the
 * heap. NULL, said on standard error. */
char *cmd_audit_folder(const struct cli_options *options);

/* A path below `state` of the configuration, on the heap. NULL, said on standard error. */
char *cmd_audit_below_state(const struct cli_options *options, const char *name);

/* Reads an instant; said on standard error if it is none. */
bool cmd_audit_instant(const char *option, const char *text, int64_t *out);
