/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Loading both sides (see diff_sets.h). The state folder is read by the code that a daemon uses at
 * a start whose orders folder is gone: every order is then its last good version.
 */
#include "forwarder/cli/diff_sets.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "forwarder/cli/cli_daemon.h"
#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/cli_set.h"
#include "forwarder/explain/problem_report.h"
#include "policy/policy.h"

/* A folder that is not there. */
#define NO_ORDERS "/dev/null/orders"

static struct generation *load(const struct diff_sets *sets, struct config *config,
                               const struct generation *before, struct problem_list *problems)
{
    static const uint8_t no_secret[EDNS_COOKIE_SECRET]; /* nothing is answered */
    const struct generation_options options = {
        .config = config,
        .before = before,
        .strictness = GENERATION_LENIENT,
        .seed = sets->seed,
        .now = sets->now,
        .process_cookie_secret = no_secret,
    };
    return generation_load(&options, problems);
}

/* What was kept. Its problems are not those of the files. */
static void load_kept(struct diff_sets *sets, const char *path)
{
    struct problem_list ignored;
    problem_list_init(&ignored);
    sets->kept_config = config_read(path, &ignored);
    char *nowhere = sets->kept_config == NULL ? NULL : strdup(NO_ORDERS);
    if (nowhere != NULL) {
        free(sets->kept_config->orders);
        sets->kept_config->orders = nowhere;
        sets->kept = load(sets, sets->kept_config, NULL, &ignored);
    }
    problem_list_fini(&ignored);
}

bool diff_sets_load(struct diff_sets *sets, const struct cli_options *options)
{
    const char *path = cli_options_config(options);
    *sets = (struct diff_sets){.now = (int64_t)time(NULL)};
    problem_list_init(&sets->problems);
    if (getrandom(&sets->seed, sizeof sets->seed, 0) != sizeof sets->seed) {
        cli_output_error("the system gives no random numbers");
        return false;
    }
    sets->in_force = cli_daemon_tell(options, json_pack("{s:s}", "command", "orders"));
    if (sets->in_force == NULL) {
        return false;
    }
    load_kept(sets, path);
    sets->config = config_read(path, &sets->problems);
    if (sets->config != NULL) {
        sets->next = load(sets, sets->config, sets->kept, &sets->problems);
    }
    if (sets->next == NULL) {
        problem_report(&sets->problems, stderr);
    }
    return sets->next != NULL;
}

void diff_sets_fini(struct diff_sets *sets)
{
    json_decref(sets->in_force);
    generation_free(sets->next);
    generation_free(sets->kept);
    config_free(sets->config);
    config_free(sets->kept_config);
    problem_list_fini(&sets->problems);
}

static bool same_digest(const json_t *object, const uint8_t sha256[static FILE_BYTES_SHA256])
{
    char hex[FILE_BYTES_HEX_MAX];
    const char *told = json_string_value(json_object_get(object, "sha256"));
    return told != NULL && strcmp(told, file_bytes_hex(sha256, hex)) == 0;
}

static bool same_bytes(const struct order *order, const json_t *told)
{
    const json_t *lists = json_object_get(told, "lists");
    bool same = same_digest(told, order->sha256) && json_array_size(lists) == order->list_count;
    for (size_t i = 0; same && i < order->list_count; i++) {
        same = same_digest(json_array_get(lists, i), order->lists[i].sha256);
    }
    return same;
}

const struct order *diff_sets_kept_order(const struct diff_sets *sets, const json_t *told)
{
    const char *id = json_string_value(json_object_get(told, "id"));
    size_t count = sets->kept == NULL || id == NULL ? 0 : policy_order_count(sets->kept->policy);
    for (size_t i = 0; i < count; i++) {
        const struct order *order = policy_order(sets->kept->policy, i);
        if (strcmp(order->id, id) == 0) {
            return same_bytes(order, told) ? order : NULL;
        }
    }
    return NULL;
}
