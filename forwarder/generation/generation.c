/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One load, from the configuration to a generation. The order matters: protected names judge
 * orders, and so does what is known of places; orders make the policy, and only when all is there
 * and good enough is anything logged or collected to be kept. Invariant: what is returned needs no
 * file any more, and nothing was written.
 */
#include "forwarder/generation/generation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/generation/generation_files.h"
#include "forwarder/generation/generation_keep.h"
#include "forwarder/generation/generation_lists.h"
#include "forwarder/generation/generation_log.h"
#include "forwarder/generation/generation_orders.h"
#include "forwarder/generation/generation_tls.h"
#include "forwarder/generation/generation_work.h"
#include "forwarder/generation/order_texts.h"
#include "geo/file_identity.h"
#include "geo/geo_db.h"
#include "geo/overrides.h"
#include "policy/guard.h"
#include "policy/order.h"
#include "policy/policy.h"

static int compare_to_path(const void *path, const void *source)
{
    return strcmp(path, ((const struct generation_source *)source)->path);
}

const struct generation_source *generation_find_source(const struct generation *generation,
                                                       const char *path)
{
    if (generation == NULL || generation->private->source_count == 0) {
        return NULL;
    }
    return bsearch(path, generation->private->sources, generation->private->source_count,
                   sizeof generation->private->sources[0], compare_to_path);
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

static bool same_file(const struct file_bytes *a, const struct file_bytes *b)
{
    return memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0;
}

bool generation_same_guard(const struct generation *a, const struct generation *b)
{
    return same_file(&a->private->protected_names, &b->private->protected_names) &&
           same_file(&a->private->protected_networks, &b->private->protected_networks);
}

char *generation_order_name(const struct generation_work *work, const char *path,
                            char out[static GENERATION_NAME_MAX])
{
    snprintf(out, GENERATION_NAME_MAX, "%s/%s", work->options->config->orders, path);
    return out;
}

bool generation_is_unfinished(const struct generation_work *work, int dir, const char *path,
                              char why[static WHY_MAX])
{
    bool unfinished =
        file_identity_among(work->options->unfinished, work->options->unfinished_count, dir, path);
    if (unfinished) {
        snprintf(why, WHY_MAX, "is being written; it is read once whoever writes it closes it");
    }
    return unfinished;
}

/* ---- What is freed ---- */

static void free_orders(struct generation *generation)
{
    struct generation_private *private = generation->private;
    for (size_t i = 0; i < private->source_count; i++) {
        order_unref(private->sources[i].order);
    }
    for (size_t i = 0; generation->orders != NULL && i < private->source_count; i++) {
        free(generation->orders[i].path);
    }
    for (size_t i = 0; generation->texts != NULL && i < private->source_count; i++) {
        order_texts_fini(&generation->texts[i]);
    }
    free(private->sources);
    free(generation->orders);
    free(generation->texts);
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
        file_bytes_fini(&generation->private->protected_networks);
        generation_keep_free(generation->private->keep);
    }
    for (size_t i = 0; i < generation->problem_count; i++) {
        free(generation->problems[i].file);
        free(generation->problems[i].text);
    }
    for (size_t i = 0; i < generation->outside_count; i++) {
        free(generation->outside[i]);
    }
    free(generation->outside);
    generation_tls_free(generation);
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

static int compare_to_order(const void *order, const void *source)
{
    uintptr_t left = (uintptr_t)order;
    uintptr_t right = (uintptr_t)((const struct generation_source *)source)->order;
    return left == right ? 0 : left < right ? -1 : 1;
}

static int compare_orders(const void *a, const void *b)
{
    return compare_to_order(((const struct generation_source *)a)->order, b);
}

static int compare_paths(const void *a, const void *b)
{
    const struct generation_source *left = a, *right = b;
    return strcmp(left->path, right->path);
}

/* The orders that come into force, with references of their own. */
static bool take_sources(const struct generation_work *work)
{
    struct generation_private *private = work->result->private;
    private->sources = calloc(work->count + 1, sizeof *private->sources);
    for (size_t i = 0; private->sources != NULL && i < work->count; i++) {
        const struct generation_candidate *candidate = &work->candidates[i];
        if (candidate->order != NULL) {
            private->sources[private->source_count++] = (struct generation_source){
                .path = candidate->path, .order = order_ref(candidate->order)};
        }
    }
    return private->sources != NULL;
}

static struct policy *policy_of(const struct generation_work *work)
{
    const struct generation_private *private = work->result->private;
    struct order **orders = calloc(private->source_count + 1, sizeof *orders);
    struct policy *policy = NULL;
    if (orders != NULL) {
        for (size_t i = 0; i < private->source_count; i++) {
            orders[i] = private->sources[i].order;
        }
        policy = policy_new(orders, private->source_count, work->options->seed, work->options->now);
    }
    free(orders);
    return policy;
}

/* Where each order of the policy, which has an order of its own, comes from. */
static bool describe_orders(const struct generation_work *work)
{
    struct generation *result = work->result;
    struct generation_private *private = result->private;
    size_t count = private->source_count;
    result->orders = calloc(count + 1, sizeof *result->orders);
    qsort(private->sources, count, sizeof private->sources[0], compare_orders);
    for (size_t i = 0; result->orders != NULL && i < count; i++) {
        struct generation_source *source =
            bsearch(policy_order(result->policy, i), private->sources, count,
                    sizeof private->sources[0], compare_to_order);
        const struct generation_candidate *candidate = generation_orders_find(work, source->path);
        result->orders[i] = (struct generation_order){.path = strdup(source->path),
                                                      .loaded = candidate->loaded,
                                                      .last_good = candidate->last_good};
        source->path = result->orders[i].path;
        source->index = i;
        if (source->path == NULL) {
            return false;
        }
    }
    qsort(private->sources, count, sizeof private->sources[0], compare_paths);
    return result->orders != NULL;
}

/* What each order of the policy tells clients. */
static bool write_texts(struct generation *result)
{
    size_t count = policy_order_count(result->policy);
    result->texts = calloc(count + 1, sizeof *result->texts);
    for (size_t i = 0; result->texts != NULL && i < count; i++) {
        if (!order_texts_init(&result->texts[i], policy_order(result->policy, i),
                              &result->config->block)) {
            return false;
        }
    }
    return result->texts != NULL;
}

static bool make_policy(struct generation_work *work)
{
    if (take_sources(work)) {
        work->result->policy = policy_of(work);
    }
    if (work->result->policy == NULL || !describe_orders(work) || !write_texts(work->result)) {
        problem_list_add(work->problems, PROBLEM_ERROR, work->options->config->orders, 0, 0,
                         "no memory for the orders");
        return false;
    }
    return true;
}

/* Reads everything, whatever fails, so that all problems are found. */
static bool read_all(struct generation_work *work)
{
    struct generation_private *private = work->result->private;
    generation_files_read_protected(work);
    if (work->guard == NULL) {
        return false;
    }
    private->lists =
        generation_lists_new(private->protected_names.sha256, private->protected_networks.sha256);
    if (private->lists == NULL) {
        return false;
    }
    generation_files_read_overrides(work);
    generation_files_read_database(work);
    generation_orders_read(work);
    generation_files_read_block(work);
    generation_tls_read(work);
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

/* Gives the result copies of all problems, those that the caller had found before included. */
static bool take_problems(struct generation_work *work)
{
    const struct problem_list *problems = work->problems;
    struct generation *result = work->result;
    result->problems = calloc(problems->count + 1, sizeof *result->problems);
    for (size_t i = 0; result->problems != NULL && i < problems->count; i++) {
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

struct generation_keep *generation_take_keep(struct generation *generation)
{
    struct generation_keep *keep = generation->private->keep;
    generation->private->keep = NULL;
    return keep;
}

const uint8_t *generation_overrides_sha256(const struct generation *generation)
{
    return generation->private->overrides_sha256;
}

struct generation *generation_load(const struct generation_options *options,
                                   struct problem_list *problems)
{
    size_t errors = problems->errors;
    struct generation_work work = {.options = options, .problems = problems};
    work.result = new_generation(options);
    if (work.result == NULL || !read_all(&work)) {
        goto fail;
    }
    if (options->strictness == GENERATION_STRICT && problems->errors != errors) {
        goto fail;
    }
    if (!take_problems(&work)) {
        goto fail;
    }
    generation_log_load(&work);
    if (options->write_state) {
        work.result->private->keep = generation_keep_new(&work);
    }
    work_fini(&work);
    return work.result;
fail:
    if (problems->errors == errors && options->config->geo_database != NULL) {
        problem_list_add(problems, PROBLEM_ERROR, options->config->path, 0, 0,
                         "no memory for what it names");
    }
    generation_free(work.result);
    work_fini(&work);
    return NULL;
}
