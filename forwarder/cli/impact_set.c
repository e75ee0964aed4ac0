/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Finding and reading one order (see impact_set.h).
 */
#include "forwarder/cli/impact_set.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/cli_set.h"
#include "forwarder/explain/problem_report.h"
#include "policy/order_folder.h"
#include "policy/policy.h"

/* Where an order file lies: a folder that stands for the orders folder, and the path below it. */
struct order_place {
    char *root;
    char *path;
    struct order_folder_scope scope;
    bool told; /* what is wrong with the files was said when it was found */
};

static bool out_of_memory(void)
{
    cli_output_error("out of memory");
    return false;
}

/* The scope of the folder that a path below the orders folder begins with. */
static bool scope_of(const char *path, struct order_folder_scope *out)
{
    char why[WHY_MAX];
    char *folder = strndup(path, strcspn(path, "/"));
    bool known = folder != NULL && order_folder_scope_parse(folder, out, why);
    free(folder);
    return known;
}

/* ---- A file ---- */

/* What stands behind the real path of the orders folder in that of a file; NULL for one outside. */
static const char *below_orders(const char *orders, const char *file, char real[static PATH_MAX])
{
    if (realpath(orders, real) == NULL) {
        return NULL;
    }
    size_t size = strlen(real);
    return strncmp(file, real, size) == 0 && file[size] == '/' ? file + size + 1 : NULL;
}

static bool place_outside(const char *file, const char *country, struct order_place *out)
{
    char why[WHY_MAX];
    const char *slash = strrchr(file, '/');
    if (country == NULL) {
        cli_output_error("%s lies outside the orders folder: --country says which folder it is "
                         "meant for, such as IT",
                         file);
        return false;
    }
    if (!order_folder_scope_parse(country, &out->scope, why)) {
        cli_output_error("--country %s: %s", country, why);
        return false;
    }
    out->root = strndup(file, slash == file ? 1 : (size_t)(slash - file));
    out->path = strdup(slash + 1);
    return (out->root != NULL && out->path != NULL) || out_of_memory();
}

static bool place_file(const struct config *config, const char *operand, const char *country,
                       struct order_place *out)
{
    char file[PATH_MAX], root[PATH_MAX];
    if (realpath(operand, file) == NULL) {
        cli_output_error("%s: cannot be read", operand);
        return false;
    }
    const char *path = below_orders(config->orders, file, root);
    if (path == NULL || !scope_of(path, &out->scope)) {
        return place_outside(file, country, out);
    }
    out->root = strdup(root);
    out->path = strdup(path);
    return (out->root != NULL && out->path != NULL) || out_of_memory();
}

/* ---- An id ---- */

static bool place_id(const struct cli_options *options, const char *id, struct order_place *out)
{
    struct cli_set all;
    int64_t now = (int64_t)time(NULL);
    bool found = false;
    if (!cli_set_load(&all, cli_options_config(options), now, now)) {
        return false;
    }
    for (size_t i = 0; !found && i < policy_order_count(all.generation->policy); i++) {
        if (strcmp(policy_order(all.generation->policy, i)->id, id) == 0) {
            out->root = strdup(all.config->orders);
            out->path = strdup(all.generation->orders[i].path);
            out->told = true;
            found = true;
        }
    }
    cli_set_free(&all);
    if (!found) {
        cli_output_error("%s is neither a file nor the id of an order", id);
        return false;
    }
    return (out->root != NULL && out->path != NULL && scope_of(out->path, &out->scope)) ||
           out_of_memory();
}

/* ---- Reading ---- */

/* The order is judged at an instant at which it is in force: now if it is. */
static int64_t instant_of(const struct order *order, int64_t now)
{
    if (now < order->effective) {
        return order->effective;
    }
    return now < order->end ? now : order->end - 1;
}

static bool load(struct impact_set *set, const struct order_place *place)
{
    static const uint8_t no_secret[EDNS_COOKIE_SECRET]; /* nothing is answered */
    const struct order_folder_entry only = {.path = place->path, .scope = place->scope};
    struct problem_list problems;
    struct generation_options options = {
        .config = set->config,
        .only = &only,
        .now = (int64_t)time(NULL),
        .process_cookie_secret = no_secret,
    };
    if (getrandom(&options.seed, sizeof options.seed, 0) != sizeof options.seed) {
        cli_output_error("the system gives no random numbers");
        return false;
    }
    problem_list_init(&problems);
    set->generation = generation_load(&options, &problems);
    bool loaded = set->generation != NULL && policy_order_count(set->generation->policy) > 0;
    if (!loaded || !place->told) {
        problem_report(&problems, stderr);
    }
    problem_list_fini(&problems);
    if (!loaded) {
        return false;
    }
    set->order = policy_order(set->generation->policy, 0);
    set->now = instant_of(set->order, options.now);
    return true;
}

bool impact_set_load(struct impact_set *set, const struct cli_options *options)
{
    const char *operand = options->operands[0];
    const char *country = options->value[CLI_OPTION_COUNTRY];
    struct order_place place = {.root = NULL};
    *set = (struct impact_set){.config = cli_set_config(cli_options_config(options))};
    if (set->config == NULL) {
        return false;
    }
    bool found = access(operand, F_OK) == 0 ? place_file(set->config, operand, country, &place)
                                            : place_id(options, operand, &place);
    if (found) {
        free(set->config->orders);
        set->config->orders = place.root;
        place.root = NULL;
    }
    bool loaded = found && load(set, &place);
    free(place.root);
    free(place.path);
    return loaded;
}

void impact_set_fini(struct impact_set *set)
{
    generation_free(set->generation);
    config_free(set->config);
    *set = (struct impact_set){0};
}
