/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One load, from the configuration to a generation. The order matters: protected names judge
 * orders, orders make the policy, and only when all is there and good enough is anything written
 * or logged. Invariant: what is returned needs no file any more.
 */
#include "forwarder/generation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/generation_files.h"
#include "forwarder/generation_keep.h"
#include "forwarder/generation_lists.h"
#include "forwarder/generation_log.h"
#include "forwarder/generation_orders.h"
#include "forwarder/generation_work.h"
#include "geo/geo_db.h"
#include "geo/overrides.h"
#include "policy/guard.h"
#include "policy/order.h"
#include "policy/policy.h"

static int compare_to_path(const void *path, const void *order)
{
    return strcmp(path, ((const struct generation_order *)order)->path);
}

size_t generation_index_of(const struct generation *generation, const char *path)
{
    size_t count = policy_order_count(generation->policy);
    const struct generation_order *found =
        count == 0 ? NULL
                   : bsearch(path, generation->orders, count, sizeof *found, compare_to_path);
    return found == NULL ? SIZE_MAX : (size_t)(found - generation->orders);
}

bool generation_same_version(const struct order *a, const struct order *b)
{
    bool same =
        a->list_count == b->list_count && memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0;
    for (size_t i = 0; same && i < a->list_count; i++) {
        same = memcmp(a->lists[i].sha256, b->lists[i].sha256, sizeof a->lists[i].sha256) == 0;
    }
    return same;
}

char *generation_order_name(const struct generation_work *work, const char *path,
                            char out[static GENERATION_NAME_MAX])
{
    snprintf(out, GENERATION_NAME_MAX, "%s/%s", work->options->config->orders, path);
    return out;
}

/* ---- What is freed ---- */

static void free_orders(struct generation *generation)
{
    struct generation_private *private = generation->private;
    for (size_t i = 0; i < private->order_count; i++) {
        order_unref(private->orders[i]);
        free(generation->orders[i].path);
    }
    free(private->orders);
    free(generation->orders);
}

void generation_free(struct generation *generation)
{
    if (generation == NULL) {
        return;
    }
    if (generation->private != NULL) {
        free_orders(generation);
        generation_lists_free(generation->private->lists);
        file_bytes_fini(&generation->private->protected_names);
    }
    for (size_t i = 0; i < generation->problem_count; i++) {
        free(generation->problems[i].file);
        free(generation->problems[i].text);
    }
    free(generation->problems);
    free(generation->private);
    policy_free(generation->policy);
    geo_db_unref(generation->db);
    overrides_unref(generation->overrides);
    explicit_bzero(generation->cookie_secret, sizeof generation->cookie_secret);
    free(generation);
}

static void work_fini(struct generation_work *work)
{
    generation_orders_fini(work);
    file_bytes_fini(&work->overrides);
    guard_free(work->guard);
}

/* ---- What is made ---- */

static struct generation *new_generation(const struct generation_options *options)
{
    struct generation *generation = calloc(1, sizeof *generation);
    if (generation == NULL) {
        return NULL;
    }
    generation->number = options->before == NULL ? 1 : options->before->number + 1;
    generation->loaded = options->now;
    generation->config = options->config;
    generation->private = calloc(1, sizeof *generation->private);
    if (generation->private == NULL) {
        generation_free(generation);
        return NULL;
    }
    return generation;
}

/* Moves the orders that come into force from the candidates to the result, with their paths. */
static bool take_orders(struct generation_work *work)
{
    struct generation *result = work->result;
    struct generation_private *private = result->private;
    private->orders = calloc(work->count + 1, sizeof *private->orders);
    result->orders = calloc(work->count + 1, sizeof *result->orders);
    if (private->orders == NULL || result->orders == NULL) {
        return false;
    }
    for (size_t i = 0; i < work->count; i++) {
        const struct generation_candidate *candidate = &work->candidates[i];
        char *path = candidate->order == NULL ? NULL : strdup(candidate->path);
        if (path == NULL && candidate->order != NULL) {
            return false;
        }
        if (path != NULL) {
            private->orders[private->order_count] = order_ref(candidate->order);
            result->orders[private->order_count++] = (struct generation_order){
                .path = path, .loaded = candidate->loaded, .last_good = candidate->last_good};
        }
    }
    return true;
}

static bool make_policy(struct generation_work *work)
{
    const struct generation_options *options = work->options;
    struct generation *result = work->result;
    if (take_orders(work)) {
        result->policy = policy_new(result->private->orders, result->private->order_count,
                                    options->seed, options->now);
    }
    if (result->policy == NULL) {
        problem_list_add(work->problems, PROBLEM_ERROR, options->config->orders, 0, 0,
                         "no memory for the orders");
    }
    return result->policy != NULL;
}

/* Reads everything, whatever fails, so that all problems are found. */
static bool read_all(struct generation_work *work)
{
    struct generation_private *private = work->result->private;
    generation_files_read_protected(work);
    if (work->guard == NULL) {
        return false;
    }
    private->lists = generation_lists_new(private->protected_names.sha256);
    if (private->lists == NULL) {
        return false;
    }
    generation_orders_read(work);
    generation_files_read_overrides(work);
    generation_files_read_database(work);
    generation_files_read_block(work);
    return !work->unusable && make_policy(work);
}

/* ---- Problems that stand ---- */

/* Since when this very problem has stood. */
static int64_t standing_since(const struct generation *before, const struct problem *problem,
                              int64_t now)
{
    size_t count = before == NULL ? 0 : before->problem_count;
    for (size_t i = 0; i < count; i++) {
        const struct generation_problem *old = &before->problems[i];
        if (old->level == problem->level && old->line == problem->line &&
            old->column == problem->column && strcmp(old->file, problem->file) == 0 &&
            strcmp(old->text, problem->text) == 0) {
            return old->since;
        }
    }
    return now;
}

/* Gives the result copies of its problems, those from index first on. */
static bool take_problems(struct generation_work *work, size_t first)
{
    const struct problem_list *problems = work->problems;
    struct generation *result = work->result;
    result->problems = calloc(problems->count - first + 1, sizeof *result->problems);
    for (size_t i = first; result->problems != NULL && i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        struct generation_problem *copy = &result->problems[result->problem_count++];
        *copy = (struct generation_problem){
            .level = problem->level,
            .file = strdup(problem->file),
            .line = problem->line,
            .column = problem->column,
            .text = strdup(problem->text),
            .since = standing_since(work->options->before, problem, work->options->now)};
        result->error_count += problem->level == PROBLEM_ERROR;
        if (copy->file == NULL || copy->text == NULL) {
            return false;
        }
    }
    return result->problems != NULL;
}

struct generation *generation_load(const struct generation_options *options,
                                   struct problem_list *problems)
{
    size_t first = problems->count, errors = problems->errors;
    struct generation_work work = {.options = options, .problems = problems};
    work.result = new_generation(options);
    if (work.result == NULL || !read_all(&work)) {
        goto fail;
    }
    if (options->strictness == GENERATION_STRICT && problems->errors != errors) {
        goto fail;
    }
    if (options->write_state) {
        generation_keep(&work);
    }
    if (!take_problems(&work, first)) {
        goto fail;
    }
    generation_log_load(&work);
    work_fini(&work);
    return work.result;
fail:
    if (problems->errors == errors) {
        problem_list_add(problems, PROBLEM_ERROR, options->config->path, 0, 0,
                         "no memory for what it names");
    }
    generation_free(work.result);
    work_fini(&work);
    return NULL;
}
