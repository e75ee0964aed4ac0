/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick`, the operator's tool: a table of commands, and the dispatch over it. Owns the two
 * ends of the program: which words are wrong usage, and whether standard output took what was
 * written.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/command.h"
#include "forwarder/cli/subcommand.h"
#include "forwarder/log.h"

#define CONFIG CLI_OPTION_BIT(CLI_OPTION_CONFIG)
#define AT CLI_OPTION_BIT(CLI_OPTION_AT)
#define JSON CLI_OPTION_BIT(CLI_OPTION_JSON)
#define LIVE CLI_OPTION_BIT(CLI_OPTION_LIVE)
#define BATCH CLI_OPTION_BIT(CLI_OPTION_BATCH)
#define ANSWER CLI_OPTION_BIT(CLI_OPTION_ANSWER)
#define COUNTRY CLI_OPTION_BIT(CLI_OPTION_COUNTRY)
#define ACCEPT_SHRINK CLI_OPTION_BIT(CLI_OPTION_ACCEPT_SHRINK)
#define QUERIES CLI_OPTION_BIT(CLI_OPTION_QUERIES)
#define FORCE CLI_OPTION_BIT(CLI_OPTION_FORCE)
#define STRICT CLI_OPTION_BIT(CLI_OPTION_STRICT)

#define NAMES CLI_OPTION_BIT(CLI_OPTION_NAMES)
#define ONCE CLI_OPTION_BIT(CLI_OPTION_ONCE)

#define MANY 1000000

static const struct command {
    const char *name;
    enum command_exit (*run)(const struct cli_options *options);
    uint64_t options;
    int operands_min;
    int operands_max;
    const char *usage; /* NULL: the command has commands of its own, with their usages */
    const char *help;
} commands[] = {
    {"test", cmd_test, CONFIG | AT | JSON | LIVE | BATCH | ANSWER, 0, 3,
     "[--at TIME] [--json] [--live] [--answer LINK]... ADDRESS NAME [TYPE]\n"
     "       bailiwick test [--at TIME] [--json] --batch FILE",
     "would this client get an answer for this name, and why"},
    {"country", cmd_country, CONFIG | JSON, 1, MANY, "[--json] ADDRESS...",
     "where addresses are, and how that is known"},
    {"orders", cmd_orders, CONFIG | COUNTRY | JSON, 0, 0, "[--country CC] [--json]",
     "what is ordered, where, and whether it is in force"},
    {"check", cmd_check, CONFIG, 0, 0, "", "read everything and print every problem"},
    {"diff", cmd_diff, CONFIG | JSON, 0, 0, "[--json]",
     "what a reload would change against what the daemon has in force"},
    {"impact", cmd_impact, CONFIG | COUNTRY | QUERIES | JSON, 1, 1,
     "[--country CC] [--json] --queries FILE ORDER|FILE",
     "what an order would have blocked of queries that were seen, and for whom"},
    {"status", cmd_status, CONFIG | JSON, 0, 0, "[--json]", "ask the running daemon how it is"},
    {"top", cmd_top, CONFIG | JSON | NAMES | ONCE, 0, 0, "[--names] [--once] [--json]",
     "what the running daemon does, second by second"},
    {"reload", cmd_reload, CONFIG | STRICT | ACCEPT_SHRINK, 0, 0, "[--strict] [--accept-shrink]",
     "have the daemon read its files again, and say what is not in force"},
    {"upstream", cmd_upstream, CONFIG | FORCE | JSON, 0, 2,
     "[--json]\n       bailiwick upstream drain [--force] ADDRESS[:PORT]\n"
     "       bailiwick upstream undrain ADDRESS[:PORT]",
     "the servers behind: how they are, and which of them are to be left in peace"},
    {"order", cmd_order, 0, 1, MANY, NULL, "change an order: new, add, remove, suspend, lift, ..."},
    {"audit", cmd_audit, 0, 1, MANY, NULL,
     "what was in force when, and blocked: verify, show, export"},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

/* The commands below a command; NULL: it has none. */
static const struct subcommand_set *below(const struct command *command)
{
    static const struct subcommand_set *(*const sets[])(void) = {cmd_audit_set, cmd_order_set};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        if (strcmp(sets[i]()->name, command->name) == 0) {
            return sets[i]();
        }
    }
    return NULL;
}

static void print_overview(FILE *out)
{
    fputs("usage: bailiwick [--config FILE] COMMAND [OPTION...] [OPERAND...]\n\n", out);
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].help);
    }
    fputs("\n'bailiwick help COMMAND' says more; --version is the version.\n", out);
}

static enum command_exit misused(const char *why, const char *word)
{
    cli_output_error("%s%s; see 'bailiwick --help'", why, word);
    return COMMAND_MISUSED;
}

/* word is what stands behind the command, or NULL. */
static enum command_exit print_help(const struct command *command, const char *word)
{
    if (below(command) != NULL) {
        char why[WHY_MAX];
        snprintf(why, sizeof why, "no such command: %s ", command->name);
        return subcommand_help(below(command), word) ? COMMAND_DONE : misused(why, word);
    }
    printf("usage: bailiwick %s [--config FILE]%s%s\n\n%s\n\n", command->name,
           command->usage[0] == '\0' ? "" : " ", command->usage, command->help);
    cli_options_help(command->options, stdout);
    return COMMAND_DONE;
}

/* `bailiwick help [COMMAND]`. */
static enum command_exit run_help(int argc, char **argv)
{
    if (argc == 0) {
        print_overview(stdout);
        return COMMAND_DONE;
    }
    const struct command *command = find_command(argv[0]);
    if (command == NULL || argc > (below(command) == NULL ? 1 : 2)) {
        return misused("no such command: ", argv[argc - 1]);
    }
    return print_help(command, argv[1]);
}

static const char *what_is_missing(const struct command *command)
{
    return below(command) == NULL ? "an operand is missing" : "a command is expected";
}

static enum command_exit run_command(const struct command *command, int argc, char **argv)
{
    struct cli_options options;
    char why[WHY_MAX];
    uint64_t allowed =
        below(command) == NULL ? command->options : subcommand_options(below(command));
    if (!cli_options_parse(argc, argv, allowed, &options, why)) {
        cli_output_usage(command->name, why);
        return COMMAND_MISUSED;
    }
    if (cli_options_has(&options, CLI_OPTION_HELP)) {
        return print_help(command, options.operand_count > 0 ? options.operands[0] : NULL);
    }
    if (options.operand_count < command->operands_min ||
        options.operand_count > command->operands_max) {
        cli_output_usage(command->name, options.operand_count < command->operands_min
                                            ? what_is_missing(command)
                                            : "too many operands");
        return COMMAND_MISUSED;
    }
    return command->run(&options);
}

/* argv begins with the command, if there is one. */
static enum command_exit run(int argc, char **argv)
{
    if (argc == 0) {
        return misused("a command is expected", "");
    }
    if (strcmp(argv[0], "--version") == 0) {
        puts("bailiwick " BAILIWICK_VERSION);
        return COMMAND_DONE;
    }
    if (strcmp(argv[0], "--help") == 0) {
        print_overview(stdout);
        return COMMAND_DONE;
    }
    const struct command *command = find_command(argv[0]);
    if (command == NULL) {
        return misused(argv[0][0] == '-' ? "unknown option: " : "no such command: ", argv[0]);
    }
    return run_command(command, argc - 1, argv + 1);
}

/* Options that all commands take may stand before the command, too: they are put behind it, where
 * the last one counts. */
static enum command_exit run_words(int argc, char **argv)
{
    char why[WHY_MAX];
    int leading;
    if (!cli_options_leading(argv, CONFIG, &leading, why)) {
        return misused(why, "");
    }
    if (leading < argc && strcmp(argv[leading], "help") == 0) {
        return run_help(argc - leading - 1, argv + leading + 1);
    }
    if (leading < argc) {
        char *command = argv[leading];
        memmove(argv + 1, argv, (size_t)leading * sizeof(char *));
        argv[0] = command;
        return run(argc, argv);
    }
    return run(0, argv);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a reader that went away is an error of standard output */
    log_set_level(LOG_LEVEL_ERROR);
    enum command_exit status = argc > 0 ? run_words(argc - 1, argv + 1) : run(0, argv);
    errno = 0;
    bool failed = ferror(stdout) != 0;
    if (fclose(stdout) != 0 || failed) {
        cli_output_error("standard output: %s", errno == 0 ? "write failed" : strerror(errno));
        return COMMAND_FAILED;
    }
    return (int)status;
}
