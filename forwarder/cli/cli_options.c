/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Options of the operator's tool (see cli_options.h).
 */
#include "forwarder/cli/cli_options.h"

#include <string.h>

#include "forwarder/explain/plain_text.h"

#define CONFIG_DEFAULT "/etc/bailiwick/forwarder.conf"

/* How much of a wrong word is worth repeating. */
#define QUOTE_MAX 128

static const struct option_row {
    const char *name;
    const char *value; /* what the value is called; NULL: it takes none */
    const char *help;
} rows[CLI_OPTIONS] = {
    [CLI_OPTION_CONFIG] = {"config", "FILE", "the configuration (" CONFIG_DEFAULT ")"},
    [CLI_OPTION_AT] = {"at", "TIME", "judge at this time: RFC 3339, or a date (its midnight, UTC)"},
    [CLI_OPTION_JSON] = {"json", NULL, "one JSON object a line"},
    [CLI_OPTION_LIVE] = {"live", NULL, "ask the running daemon what is in force"},
    [CLI_OPTION_BATCH] = {"batch", "FILE", "lines \"ADDRESS NAME [TYPE]\"; - is standard input"},
    [CLI_OPTION_ANSWER] = {"answer", "LINK", "as if upstream's answer led there; again for more"},
    [CLI_OPTION_COUNTRY] = {"country", "CC", "the country, in capitals, such as IT"},
    [CLI_OPTION_STRICT] = {"strict", NULL, "all or nothing: any error keeps what is in force"},
    [CLI_OPTION_ACCEPT_SHRINK] = {"accept-shrink", NULL, "take lists that lost most names, too"},
    [CLI_OPTION_FORCE] = {"force", NULL, "drain the server though nobody is left to ask then"},
    [CLI_OPTION_QUERIES] = {"queries", "FILE", "what was asked: text or a capture; - is text"},
    [CLI_OPTION_ID] = {"id", "ID", "the order's id: letters, digits, '.', '_' and '-'"},
    [CLI_OPTION_AUTHORITY] = {"authority", "TEXT", "who ordered it"},
    [CLI_OPTION_ISSUED] = {"issued", "DATE", "when (today, UTC)"},
    [CLI_OPTION_TITLE] = {"title", "TEXT", "what it is called"},
    [CLI_OPTION_REFERENCE] = {"reference", "TEXT", "docket or decision number"},
    [CLI_OPTION_EFFECTIVE] = {"effective", "TIME", "from when it binds: a date or RFC 3339"},
    [CLI_OPTION_UNTIL] = {"until", "TIME", "until when: a date, that day included, or RFC 3339"},
    [CLI_OPTION_TIMEZONE] = {"timezone", "ZONE", "of bare dates, such as Europe/Rome"},
    [CLI_OPTION_ACTION] = {"action", "WORD", "what the blocked get, such as nxdomain"},
    [CLI_OPTION_MESSAGE] = {"message", "TEXT", "what they are told"},
    [CLI_OPTION_REASON] = {"reason", "TEXT", "why, for the history of the order"},
    [CLI_OPTION_ALL] = {"all", NULL, "every order in the folder of --country, for an emergency"},
    [CLI_OPTION_ORDER] = {"order", "ID", "the order"},
    [CLI_OPTION_TICKETS] = {"tickets", "FILE",
                            "lines NAME[,TICKET[,EFFECTIVE[,UNTIL]]]; - is standard input"},
    [CLI_OPTION_LIST] = {"list", "LIST", "the list of the order that takes them, as it names it"},
    [CLI_OPTION_BY] = {"by", "TEXT", "who does it, for the history (the user who runs this)"},
    [CLI_OPTION_WAIT] = {"wait", "SECONDS",
                         "for another command that changes orders, at most (60)"},
    [CLI_OPTION_NAMES] = {"names", NULL, "blocked names too, counted from now on"},
    [CLI_OPTION_ONCE] = {"once", NULL, "one interval, and no more"},
    [CLI_OPTION_HEAD] = {"head", "HASH", "a hash that was noted before, which must be in it"},
    [CLI_OPTION_AFTER] = {"after", "HASH", "that of the last record before the first one here"},
    [CLI_OPTION_FROM] = {"from", "TIME", "what began at this time or later: a date or RFC 3339"},
    [CLI_OPTION_TO] = {"to", "TIME", "and before this one"},
    [CLI_OPTION_CSV] = {"csv", NULL, "comma-separated values with a line of names"},
    [CLI_OPTION_MERGE] = {"merge", NULL, "add up exports (--json) of several machines: FILE..."},
    [CLI_OPTION_HELP] = {"help", NULL, "this help"},
};

static bool refuse(char why[static WHY_MAX], const char *what, const char *word)
{
    char quote[QUOTE_MAX];
    snprintf(why, WHY_MAX, "%s: %s", what, plain_text(word, quote, sizeof quote));
    return false;
}

/* The row that a word names, up to "=" or its end, among those allowed; NULL if none. */
static const struct option_row *find_row(const char *name, uint64_t allowed)
{
    size_t len = strcspn(name, "=");
    for (unsigned i = 0; i < CLI_OPTIONS; i++) {
        bool known = strlen(rows[i].name) == len && strncmp(rows[i].name, name, len) == 0;
        if (known && (allowed & CLI_OPTION_BIT(i)) != 0) {
            return &rows[i];
        }
    }
    return NULL;
}

/* Reads the option at words[0], "--" and more, and its value from there or from words[1] (NULL at
 * the end). Returns the number of words it took, 0 if it is refused. */
static int parse_option(char **words, uint64_t allowed, struct cli_options *out,
                        char why[static WHY_MAX])
{
    const struct option_row *row = find_row(words[0] + strlen("--"), allowed);
    const char *equals = strchr(words[0], '=');
    if (row == NULL) {
        refuse(why, "unknown option", words[0]);
        return 0;
    }
    if (row->value == NULL && equals != NULL) {
        refuse(why, "this option takes no value", words[0]);
        return 0;
    }
    if (row->value == NULL) {
        out->value[row - rows] = "";
        return 1;
    }
    const char *value = equals != NULL ? equals + 1 : words[1];
    if (value == NULL || *value == '\0') {
        snprintf(why, WHY_MAX, "an option needs its value: --%s %s", row->name, row->value);
        return 0;
    }
    out->value[row - rows] = value;
    if (row == &rows[CLI_OPTION_ANSWER]) {
        if (out->answer_count == CLI_ANSWERS_MAX) {
            refuse(why, "too many of them", words[0]);
            return 0;
        }
        out->answers[out->answer_count++] = value;
    }
    return equals != NULL ? 1 : 2;
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

bool cli_options_parse(int argc, char **argv, uint64_t allowed, struct cli_options *out,
                       char why[static WHY_MAX])
{
    *out = (struct cli_options){.operands = argv};
    bool only_operands = false;
    for (int at = 0; at < argc;) {
        if (only_operands || !is_option(argv[at])) {
            argv[out->operand_count++] = argv[at++];
            continue;
        }
        if (strcmp(argv[at], "--") == 0) {
            only_operands = true;
            at++;
            continue;
        }
        if (strncmp(argv[at], "--", 2) != 0) {
            return refuse(why, "unknown option", argv[at]);
        }
        int taken = parse_option(argv + at, allowed | CLI_OPTION_BIT(CLI_OPTION_HELP), out, why);
        if (taken == 0) {
            return false;
        }
        at += taken;
    }
    return true;
}

bool cli_options_leading(char **argv, uint64_t allowed, int *count, char why[static WHY_MAX])
{
    struct cli_options ignored = {0};
    *count = 0;
    while (argv[*count] != NULL && strncmp(argv[*count], "--", 2) == 0 &&
           find_row(argv[*count] + strlen("--"), allowed) != NULL) {
        int taken = parse_option(argv + *count, allowed, &ignored, why);
        if (taken == 0) {
            return false;
        }
        *count += taken;
    }
    return true;
}

bool cli_options_has(const struct cli_options *options, enum cli_option option)
{
    return options->value[option] != NULL;
}

const char *cli_options_name(enum cli_option option)
{
    return rows[option].name;
}

const char *cli_options_config(const struct cli_options *options)
{
    const char *config = options->value[CLI_OPTION_CONFIG];
    return config == NULL ? CONFIG_DEFAULT : config;
}

void cli_options_help(uint64_t allowed, FILE *out)
{
    for (unsigned i = 0; i < CLI_OPTIONS; i++) {
        if ((allowed & CLI_OPTION_BIT(i)) != 0) {
            char option[32];
            snprintf(option, sizeof option, "--%s%s%s", rows[i].name,
                     rows[i].value == NULL ? "" : " ", rows[i].value == NULL ? "" : rows[i].value);
            fprintf(out, "  %-17s %s\n", option, rows[i].help);
        }
    }
}
