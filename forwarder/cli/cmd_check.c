/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick check`: what `bailiwickd --check` does.
 */
#include <stdio.h>
#include <time.h>

#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/command.h"
#include "forwarder/explain/check_config.h"

enum command_exit cmd_check(const struct cli_options *options)
{
    return check_config_run(cli_options_config(options), stdout) == 0 ? COMMAND_DONE
                                                                      : COMMAND_FAILED;
}
