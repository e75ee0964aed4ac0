/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Words of a command line: options in every form and place, operands, and what is refused.
 */
#include "forwarder/cli/cli_options.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "test/suite.h"

#define WORDS_MAX 8

#define ALLOWED                                                          \
    (CLI_OPTION_BIT(CLI_OPTION_CONFIG) | CLI_OPTION_BIT(CLI_OPTION_AT) | \
     CLI_OPTION_BIT(CLI_OPTION_JSON))

static const struct {
    const char *label;
    const char *words[WORDS_MAX];
    const char *config, *at;
    bool json, help;
    const char *operands; /* with a blank between them */
} GOOD[] = {
    {"nothing", {NULL}, "/etc/bailiwick/forwarder.conf", NULL, false, false, ""},
    {"options before", {"--json", "--config", "f", "a", "b"}, "f", NULL, true, false, "a b"},
    {"options behind", {"a", "b", "--json", "--config", "f"}, "f", NULL, true, false, "a b"},
    {"options between", {"a", "--config=f", "b", "--json", "c"}, "f", NULL, true, false, "a b c"},
    {"a value with an equals sign", {"--config=f=g"}, "f=g", NULL, false, false, ""},
    {"a value that looks like an option", {"--config", "--json"}, "--json", NULL, false, false, ""},
    {"the last of several",
     {"--at", "x", "--at=y"},
     "/etc/bailiwick/forwarder.conf",
     "y",
     false,
     false,
     ""},
    {"a dash is an operand", {"-"}, "/etc/bailiwick/forwarder.conf", NULL, false, false, "-"},
    {"two dashes end the options",
     {"--json", "--", "--config", "-x", "--"},
     "/etc/bailiwick/forwarder.conf",
     NULL,
     true,
     false,
     "--config -x --"},
    {"help is always there", {"--help"}, "/etc/bailiwick/forwarder.conf", NULL, false, true, ""},
};

/* Copies the words into argv and counts them. */
static int fill(const char *const words[WORDS_MAX], char *argv[WORDS_MAX + 1])
{
    int argc = 0;
    while (argc < WORDS_MAX && words[argc] != NULL) {
        argv[argc] = strdup(words[argc]);
        argc++;
    }
    argv[argc] = NULL;
    return argc;
}

/* Each of them counts, in their order, up to a bound. */
START_TEST(answers_are_gathered)
{
    char *argv[] = {"--answer", "a", "x", "--answer=b", NULL};
    char *many[2 * (CLI_ANSWERS_MAX + 1)];
    char why[WHY_MAX] = "";
    struct cli_options options;
    ck_assert(cli_options_parse(4, argv, CLI_OPTION_BIT(CLI_OPTION_ANSWER), &options, why));
    ck_assert_int_eq(options.answer_count, 2);
    ck_assert_str_eq(options.answers[0], "a");
    ck_assert_str_eq(options.answers[1], "b");
    for (int i = 0; i <= CLI_ANSWERS_MAX; i++) {
        many[2 * i] = "--answer";
        many[2 * i + 1] = "a";
    }
    ck_assert(cli_options_parse(2 * CLI_ANSWERS_MAX, many, CLI_OPTION_BIT(CLI_OPTION_ANSWER),
                                &options, why));
    ck_assert(!cli_options_parse(2 * (CLI_ANSWERS_MAX + 1), many, CLI_OPTION_BIT(CLI_OPTION_ANSWER),
                                 &options, why));
    ck_assert_str_eq(why, "too many of them: --answer");
}
END_TEST

static void join(const struct cli_options *options, char out[static 64])
{
    out[0] = '\0';
    for (int i = 0; i < options->operand_count; i++) {
        size_t used = strlen(out);
        snprintf(out + used, 64 - used, "%s%s", i > 0 ? " " : "", options->operands[i]);
    }
}

START_TEST(words_are_read)
{
    for (size_t i = 0; i < ROWS(GOOD); i++) {
        const char *label = GOOD[i].label;
        struct cli_options options;
        char why[WHY_MAX] = "";
        char *argv[WORDS_MAX + 1];
        char *words[WORDS_MAX + 1];
        int argc = fill(GOOD[i].words, argv);
        memcpy(words, argv, sizeof words);
        ck_assert_msg(cli_options_parse(argc, argv, ALLOWED, &options, why), "%s: %s", label, why);
        const char *at = options.value[CLI_OPTION_AT];
        char operands[64];
        join(&options, operands);
        ck_assert_msg(strcmp(cli_options_config(&options), GOOD[i].config) == 0, "%s: config",
                      label);
        ck_assert_msg(at == NULL ? GOOD[i].at == NULL : strcmp(at, GOOD[i].at) == 0, "%s: at",
                      label);
        ck_assert_msg(cli_options_has(&options, CLI_OPTION_JSON) == GOOD[i].json, "%s: json",
                      label);
        ck_assert_msg(cli_options_has(&options, CLI_OPTION_HELP) == GOOD[i].help, "%s: help",
                      label);
        ck_assert_msg(strcmp(operands, GOOD[i].operands) == 0, "%s: %s", label, operands);
        while (argc > 0) {
            free(words[--argc]);
        }
    }
}
END_TEST

static const struct {
    const char *label;
    const char *words[WORDS_MAX];
    const char *why;
} BAD[] = {
    {"unknown", {"a", "--nonsense"}, "unknown option: --nonsense"},
    {"known, but not here", {"--strict"}, "unknown option: --strict"},
    {"cut short", {"--conf", "f"}, "unknown option: --conf"},
    {"one dash", {"-json"}, "unknown option: -json"},
    {"no name", {"--=f"}, "unknown option: --=f"},
    {"a value that is missing", {"--config"}, "an option needs its value: --config FILE"},
    {"an empty value", {"--config="}, "an option needs its value: --config FILE"},
    {"a value too many", {"--json=yes"}, "this option takes no value: --json=yes"},
    {"a word that would steer a terminal", {"--\x1b[2J"}, "unknown option: --?[2J"},
};

START_TEST(wrong_words_are_told)
{
    for (size_t i = 0; i < ROWS(BAD); i++) {
        struct cli_options options;
        char why[WHY_MAX] = "";
        char *argv[WORDS_MAX + 1];
        int argc = fill(BAD[i].words, argv);
        char *words[WORDS_MAX + 1];
        memcpy(words, argv, sizeof words);
        ck_assert_msg(!cli_options_parse(argc, argv, ALLOWED, &options, why), "%s", BAD[i].label);
        ck_assert_msg(strcmp(why, BAD[i].why) == 0, "%s: %s", BAD[i].label, why);
        while (argc > 0) {
            free(words[--argc]);
        }
    }
}
END_TEST

START_TEST(help_shows_what_is_allowed)
{
    char text[512] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    cli_options_help(CLI_OPTION_BIT(CLI_OPTION_CONFIG) | CLI_OPTION_BIT(CLI_OPTION_JSON), out);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_str_eq(text, "  --config FILE     the configuration (/etc/bailiwick/forwarder.conf)\n"
                           "  --json            one JSON object a line\n");
}
END_TEST

START_TEST(options_in_front)
{
    static const struct {
        const char *label;
        const char *words[WORDS_MAX];
        int count; /* -1: refused */
    } rows[] = {
        {"none", {"status", "--config", "f"}, 0},
        {"no words", {NULL}, 0},
        {"one", {"--config", "f", "status"}, 2},
        {"one word", {"--config=f", "status"}, 1},
        {"several", {"--config", "f", "--json", "--at=x", "status", "--json"}, 4},
        {"one that is not allowed", {"--config", "f", "--strict", "status"}, 2},
        {"nothing behind it", {"--config", "f"}, 2},
        {"no value", {"--config"}, -1},
        {"an empty value", {"--config=", "status"}, -1},
        {"one dash", {"-config", "f"}, 0},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char why[WHY_MAX] = "";
        char *argv[WORDS_MAX + 1], *words[WORDS_MAX + 1];
        int argc = fill(rows[i].words, argv), count = -1;
        memcpy(words, argv, sizeof words);
        bool read = cli_options_leading(argv, ALLOWED, &count, why);
        ck_assert_msg((read ? count : -1) == rows[i].count, "%s: %d", rows[i].label, count);
        ck_assert_msg(read == (why[0] == '\0'), "%s: %s", rows[i].label, why);
        while (argc > 0) {
            free(words[--argc]);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_options");
    TCase *tcase = tcase_create("cli_options");
    tcase_add_test(tcase, options_in_front);
    tcase_add_test(tcase, words_are_read);
    tcase_add_test(tcase, answers_are_gathered);
    tcase_add_test(tcase, wrong_words_are_told);
    tcase_add_test(tcase, help_shows_what_is_allowed);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
