/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Loading for the operator's tool (see cli_set.h).
 */
#include "forwarder/cli/cli_set.h"

#include <stdio.h>
#include <sys/random.h>

#include "forwarder/cli/cli_output.h"
#include "forwarder/explain/problem_report.h"
#include "policy/policy.h"

struct config *cli_set_config(const char *path)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct config *config = config_read(path, &problems);
    if (config == NULL) {
        problem_report(&problems, stderr);
    }
    problem_list_fini(&problems);
    return config;
}

/* Loads what the configuration names; problems may hold those of the configuration already. */
static struct generation *load(struct config *config, int64_t instant,
                               struct problem_list *problems)
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
    return generation_load(&options, problems);
}

/* It was loaded now, whatever instant it is judged at. */
static void stamp(struct generation *generation, int64_t instant, int64_t now)
{
    generation->loaded = now;
    for (size_t i = 0; i < policy_order_count(generation->policy); i++) {
        if (generation->orders[i].loaded == instant) {
            generation->orders[i].loaded = now;
        }
    }
}

bool cli_set_load(struct cli_set *set, const char *path, int64_t now, int64_t at)
{
    int64_t instant = at < now ? at : now;
    struct problem_list problems;
    problem_list_init(&problems);
    *set = (struct cli_set){.config = config_read(path, &problems)};
    if (set->config != NULL) {
        set->generation = load(set->config, instant, &problems);
    }
    problem_report(&problems, stderr);
    problem_list_fini(&problems);
    if (set->generation == NULL) {
        cli_set_free(set);
        return false;
    }
    stamp(set->generation, instant, now);
    return true;
}

void cli_set_free(struct cli_set *set)
{
    generation_free(set->generation);
    config_free(set->config);
    *set = (struct cli_set){0};
}
