/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Comparing lists by how many names they hold (see generation_shrink.h). A list is the same one if
 * the order names it by the same path: an order that names another list says what it wants.
 */
#include "forwarder/generation/generation_shrink.h"

#include <stdio.h>
#include <string.h>

#include "forwarder/generation/generation_order_file.h"
#include "forwarder/generation/generation_work.h"
#include "forwarder/generation/state.h"
#include "policy/name_list.h"
#include "policy/order.h"
#include "policy/policy.h"

static bool shrank(size_t before, size_t now)
{
    return now < before / 2 + before % 2;
}

/* A list's name for people: where it lies. */
static const char *list_name(const char *orders, const char *order, const char *list,
                             char out[static 2 * GENERATION_NAME_MAX])
{
    char path[GENERATION_NAME_MAX];
    generation_order_file_list_path(order, list, path);
    snprintf(out, 2 * GENERATION_NAME_MAX, "%s%s%s", path[0] == '/' ? "" : orders,
             path[0] == '/' ? "" : "/", path);
    return out;
}

static const struct order_list *find_list(const struct order *order, const char *path)
{
    for (size_t i = 0; i < order->list_count; i++) {
        if (strcmp(order->lists[i].path, path) == 0) {
            return &order->lists[i];
        }
    }
    return NULL;
}

bool generation_shrink_allows(const struct generation_work *work,
                              const struct generation_candidate *candidate)
{
    const struct generation_options *options = work->options;
    const struct generation_source *old = generation_find_source(options->before, candidate->path);
    bool allowed = true;
    for (size_t i = 0; old != NULL && !options->accept_shrink && i < candidate->order->list_count;
         i++) {
        const struct order_list *now = &candidate->order->lists[i];
        const struct order_list *before = find_list(old->order, now->path);
        char name[2 * GENERATION_NAME_MAX];
        if (before != NULL && shrank(name_list_count(before->names), name_list_count(now->names))) {
            problem_list_add(work->problems, PROBLEM_ERROR,
                             list_name(options->config->orders, candidate->path, now->path, name),
                             0, 0,
                             "names %zu, of %zu that are in force: more than half are gone; the "
                             "order stays as it is until 'bailiwick reload --accept-shrink'",
                             name_list_count(now->names), name_list_count(before->names));
            allowed = false;
        }
    }
    return allowed;
}

static void warn_of_list(const struct generation *generation, const char *order,
                         const struct order_list *now, const struct state_part *before,
                         struct problem_list *problems)
{
    char name[2 * GENERATION_NAME_MAX];
    if (strcmp(before->origin, now->path) == 0 &&
        shrank(before->names, name_list_count(now->names))) {
        problem_list_add(problems, PROBLEM_WARNING,
                         list_name(generation->config->orders, order, now->path, name), 0, 0,
                         "names %zu, of %zu that were last in force: more than half are gone; a "
                         "reload keeps the order as it is unless it is given --accept-shrink",
                         name_list_count(now->names), before->names);
    }
}

void generation_shrink_warn(const struct generation *generation, const char *state,
                            struct problem_list *problems)
{
    for (size_t i = 0; i < policy_order_count(generation->policy); i++) {
        const struct order *order = policy_order(generation->policy, i);
        const char *path = generation->orders[i].path;
        const struct state_key key = {state, "orders", path};
        struct state_version kept = {0};
        char why[WHY_MAX];
        if (order->list_count > 0) {
            (void)state_read(&key, &kept, why); /* without a version there is nothing to compare */
        }
        for (size_t list = 0; list < order->list_count; list++) {
            for (size_t part = 1; part < kept.count; part++) {
                warn_of_list(generation, path, &order->lists[list], &kept.parts[part], problems);
            }
        }
        state_version_fini(&kept);
    }
}
