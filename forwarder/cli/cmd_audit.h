/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The commands below `bailiwick audit`: a function each. cmd_audit.c holds the table of them, with
 * what each takes (subcommand.h), and what they share.
 */
#pragma once

#include <stdint.h>

#include "forwarder/audit/audit_files.h"
#include "forwarder/cli/command.h"

enum command_exit cmd_audit_verify(const struct cli_options *options);
enum command_exit cmd_audit_show(const struct cli_options *options);
enum command_exit cmd_audit_export(const struct cli_options *options);

/* The folders of the record: the operands, or "audit" under `state` of the configuration; an array
 * that ends with NULL, on the heap as its texts are. NULL, said on standard error. */
char **cmd_audit_folders(const struct cli_options *options);
void cmd_audit_folders_free(char **folders); /* NULL is allowed */

/* The files in them, all in *out. False, said on standard error. */
bool cmd_audit_files(char *const *folders, struct audit_files *out);

/* A path below `state` of the configuration, on the heap. NULL, said on standard error. */
char *cmd_audit_below_state(const struct cli_options *options, const char *name);

/* Reads an instant; said on standard error if it is none. */
bool cmd_audit_instant(const char *option, const char *text, int64_t *out);
