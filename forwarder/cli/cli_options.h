/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The words behind `bailiwick COMMAND`: options, anywhere, and operands. One table of options
 * serves the parser and the help of every command. Values are text here; each command reads its
 * own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "geo/problem.h"

enum cli_option {
    CLI_OPTION_CONFIG,
    CLI_OPTION_AT,
    CLI_OPTION_JSON,
    CLI_OPTION_LIVE,
    CLI_OPTION_BATCH,
    CLI_OPTION_ANSWER,
    CLI_OPTION_COUNTRY,
    CLI_OPTION_STRICT,
    CLI_OPTION_ACCEPT_SHRINK,
    CLI_OPTION_QUERIES,
    CLI_OPTION_ID,
    CLI_OPTION_AUTHORITY,
    CLI_OPTION_ISSUED,
    CLI_OPTION_TITLE,
    CLI_OPTION_REFERENCE,
    CLI_OPTION_EFFECTIVE,
    CLI_OPTION_UNTIL,
    CLI_OPTION_TIMEZONE,
    CLI_OPTION_ACTION,
    CLI_OPTION_MESSAGE,
    CLI_OPTION_REASON,
    CLI_OPTION_ALL,
    CLI_OPTION_ORDER,
    CLI_OPTION_TICKETS,
    CLI_OPTION_LIST,
    CLI_OPTION_BY,
    CLI_OPTION_WAIT,
    CLI_OPTION_NAMES,
    CLI_OPTION_ONCE,
    CLI_OPTION_HEAD,
    CLI_OPTION_AFTER,
    CLI_OPTION_FROM,
    CLI_OPTION_TO,
    CLI_OPTION_CSV,
    CLI_OPTION_MERGE,
    CLI_OPTION_FORCE,
    CLI_OPTION_HELP,
    CLI_OPTIONS, /* how many there are */
};

#define CLI_ANSWERS_MAX 16 /* how often the one option may come that is not overruled by itself */

/* A set of options, for what a command takes. */
#define CLI_OPTION_BIT(option) (UINT64_C(1) << (option))

struct cli_options {
    const char *value[CLI_OPTIONS];       /* NULL: not given; "" for one that takes no value */
    const char *answers[CLI_ANSWERS_MAX]; /* of CLI_OPTION_ANSWER, each */
    int answer_count;
    char **operands; /* what is no option, in order; in argv */
    int operand_count;
};

/* Reads argv (words only, no program or command name; it is rearranged). Options are "--name",
 * "--name VALUE" or "--name=VALUE", and the last of several counts; after "--" there are only
 * operands. allowed is the set of options that the command takes; --help always is one. False with
 * one sentence in why. */
bool cli_options_parse(int argc, char **argv, uint64_t allowed, struct cli_options *out,
                       char why[static WHY_MAX]);

/* How many of the words from the first on are such options, with their values. False with one
 * sentence in why: a value is missing. */
bool cli_options_leading(char **argv, uint64_t allowed, int *count, char why[static WHY_MAX]);

bool cli_options_has(const struct cli_options *options, enum cli_option option);

/* What an option is called, without its dashes. */
const char *cli_options_name(enum cli_option option);

/* --config, or /etc/bailiwick/forwarder.conf. */
const char *cli_options_config(const struct cli_options *options);

/* A line for each allowed option. */
void cli_options_help(uint64_t allowed, FILE *out);
