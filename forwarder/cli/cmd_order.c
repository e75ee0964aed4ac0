/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick order`: the table of the commands below it.
 */
#include "forwarder/cli/cmd_order.h"

#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/order_lock.h"
#include "forwarder/cli/subcommand.h"

#define BIT(option) CLI_OPTION_BIT(CLI_OPTION_##option)
#define MANY 1000000

static const struct subcommand commands[] = {
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

const struct subcommand_set *cmd_order_set(void)
{
    static const struct subcommand_set set = {"order", BIT(CONFIG) | BIT(BY) | BIT(WAIT),
                                              "[--config FILE] [--by TEXT] [--wait SECONDS]",
                                              commands, sizeof commands / sizeof commands[0]};
    return &set;
}

enum command_exit cmd_order(const struct cli_options *options)
{
    if (order_lock_wait_s(options) > ORDER_LOCK_WAIT_MAX_S) {
        cli_output_usage("order", "--wait takes seconds, from 0 to 3600");
        return COMMAND_MISUSED;
    }
    return subcommand_run(cmd_order_set(), options);
}
