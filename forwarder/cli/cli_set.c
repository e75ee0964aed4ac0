/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Loading for the operator's tool (see cli_set.h).
 */
#include "forwarder/cli/cli_set.h"

#include <stdio.h>
#include <sys/random.h>

#include "forwarder/cli/cli_output.h"
#include "forwarder/problem_report.h"

/* Prints and drops what was found. */
static void finish(struct problem_list *problems)
{
    problem_report(problems, stderr);
    problem_list_fini(problems);
}

struct config *cli_set_config(const char *path)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct config *config = config_read(path, &problems);
    finish(&problems);
    return config;
}

static struct generation *load(struct config *config, int64_t instant)
{
    static const uint8_t no_secret[EDNS_COOKIE_SECRET]; /* no query made here carries a cookie */
    struct generation_options options = {
        .config = config,
        .strictness = GENERATION_LENIENT,
        .now = instant,
        .process_cookie_secret = no_secret,
    };
    if (getrandom(&options.seed, sizeof options.seed, 0) != sizeof options.seed) {
        cli_output_error("the system gives no random numbers");
        return NULL;
    }
    struct problem_list problems;
    problem_list_init(&problems);
    struct generation *generation = generation_load(&options, &problems);
    finish(&problems);
    return generation;
}

bool cli_set_load(struct cli_set *set, const char *path, int64_t now, int64_t at)
{
    *set = (struct cli_set){.config = cli_set_config(path)};
    if (set->config == NULL) {
        return false;
    }
    set->generation = load(set->config, at < now ? at : now);
    if (set->generation == NULL) {
        cli_set_free(set);
        return false;
    }
    return true;
}

void cli_set_free(struct cli_set *set)
{
    generation_free(set->generation);
    config_free(set->config);
    *set = (struct cli_set){0};
}
