/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reading one order. Invariant: a candidate's order is a version whose file, lists and names were
 * all found good under what is protected in this load.
 */
#include "forwarder/generation/generation_order_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/generation/generation_lists.h"
#include "forwarder/generation/generation_shrink.h"
#include "forwarder/generation/generation_work.h"
#include "forwarder/generation/state.h"
#include "geo/geo_db.h"
#include "geo/overrides.h"
#include "policy/order_file.h"
#include "policy/order_guard.h"
#include "policy/yaml_text.h"

/* One version of an order file that is being read. */
struct reading {
    struct generation_work *work;
    struct generation_candidate *candidate;
    const struct state_version *kept; /* NULL: from the orders folder */
};

/* An error in the order file as a whole. */
static void say_error(const struct generation_work *work, const char *path, const char *text)
{
    char name[GENERATION_NAME_MAX];
    problem_list_add(work->problems, PROBLEM_ERROR, generation_order_name(work, path, name), 0, 0,
                     "%s", text);
}

/* ---- Lists ---- */

char *generation_order_file_list_path(const char *order, const char *list,
                                      char out[static GENERATION_NAME_MAX])
{
    const char *slash = strrchr(order, '/');
    int folder = list[0] == '/' || slash == NULL ? 0 : (int)(slash - order) + 1;
    snprintf(out, GENERATION_NAME_MAX, "%.*s%s", folder, order, list);
    return out;
}

/* Remembers a list that may lie outside the orders folder, or where nobody looks for orders: edits
 * of it are to be noticed all the same. Without memory they are not. */
static void note_outside(const struct generation_work *work, const char *path)
{
    struct generation *result = work->result;
    if (path[0] != '/' && path[0] != '.' && strstr(path, "/.") == NULL &&
        strchr(path, '~') == NULL) {
        return;
    }
    char name[GENERATION_NAME_MAX];
    char **more = reallocarray(result->outside, result->outside_count + 1, sizeof *more);
    if (more != NULL) {
        result->outside = more;
        more[result->outside_count] =
            strdup(path[0] == '/' ? path : generation_order_name(work, path, name));
        result->outside_count += more[result->outside_count] != NULL;
    }
}

/* Finds the file of a list, in the orders folder or in the kept version, and what it is. */
static bool find_list(const struct reading *reading, const char *path, const char *written,
                      struct file_stream_known *out, char why[static WHY_MAX])
{
    if (reading->kept == NULL) {
        int folder = reading->work->folder.descriptor;
        note_outside(reading->work, path);
        return !generation_is_unfinished(reading->work, folder, path, why) &&
               file_stream_know(folder, path, NAME_LIST_BYTES_MAX, out, why);
    }
    for (size_t i = 1; i < reading->kept->count; i++) {
        const struct state_part *part = &reading->kept->parts[i];
        if (strcmp(part->origin, written) == 0) {
            return state_part_know(part, out, why);
        }
    }
    snprintf(why, WHY_MAX, "the list %s was not kept", written);
    return false;
}

/* Adds a list to those that the candidate names; false when memory is out. */
static bool hold_list(struct generation_candidate *candidate, const char *written,
                      const struct file_stream_known *file)
{
    struct generation_list_file *more =
        reallocarray(candidate->lists, candidate->list_count + 1, sizeof *more);
    if (more == NULL) {
        return false;
    }
    candidate->lists = more;
    more = &more[candidate->list_count++];
    *more = (struct generation_list_file){
        .path = strdup(written), .place = strdup(file->path), .file = *file};
    more->file.path = more->place;
    return more->path != NULL && more->place != NULL;
}

/* An order_file_list_fn. */
static struct name_list *open_list(void *ctx, const struct name_list_options *options,
                                   uint8_t sha256[static FILE_BYTES_SHA256],
                                   struct problem_list *problems)
{
    struct reading *reading = ctx;
    const struct generation_work *work = reading->work;
    const struct generation *before = work->options->before;
    char path[GENERATION_NAME_MAX], name[GENERATION_NAME_MAX], why[WHY_MAX] = "no memory";
    generation_order_file_list_path(reading->candidate->path, options->name, path);
    struct name_list_options named = *options;
    named.name = path[0] == '/' ? path : generation_order_name(work, path, name);
    named.packing = name_list_packing_of(options->name);

    struct file_stream_known file = {.path = path};
    bool found = find_list(reading, path, options->name, &file, why);
    if (!hold_list(reading->candidate, options->name, &file) || !found) { /* it names it anyway */
        problem_list_add(problems, PROBLEM_ERROR, named.name, 0, 0, "%s", why);
        return NULL;
    }
    memcpy(sha256, file.sha256, FILE_BYTES_SHA256);
    return generation_lists_take(work->result->private->lists,
                                 before == NULL ? NULL : before->private->lists, &named, &file,
                                 problems);
}

/* An order_file_place_fn. Without a database nothing comes into force, and that is said already. */
static enum order_file_place find_place(void *ctx, const struct subdivision *subdivision)
{
    const struct reading *reading = ctx;
    const struct generation *result = reading->work->result;
    if (result->db == NULL || geo_db_names_subdivision(result->db, subdivision) ||
        overrides_name_subdivision(result->overrides, subdivision)) {
        return ORDER_FILE_PLACE_KNOWN;
    }
    return geo_db_has_subdivisions(result->db) ? ORDER_FILE_PLACE_EMPTY : ORDER_FILE_PLACE_UNKNOWN;
}

/* ---- Versions ---- */

static struct order *parse(struct reading *reading, const struct file_bytes *file,
                           struct problem_list *problems)
{
    const struct generation_options *options = reading->work->options;
    const struct order_file_env env = {.folder = reading->candidate->scope,
                                       .guard = reading->work->guard,
                                       .default_action = options->config->block.action,
                                       .seed = options->seed,
                                       .now = options->now,
                                       .open_list = open_list,
                                       .find_place = find_place,
                                       .ctx = reading};
    char name[GENERATION_NAME_MAX];
    generation_order_name(reading->work, reading->candidate->path, name);
    return order_file_parse(&env, name, file, problems);
}

static bool is_kept(const struct order *order, const struct state_version *kept)
{
    bool same = kept->count == order->list_count + 1 &&
                memcmp(kept->parts[0].sha256, order->sha256, sizeof order->sha256) == 0;
    for (size_t i = 0; same && i < order->list_count; i++) {
        same = memcmp(kept->parts[i + 1].sha256, order->lists[i].sha256,
                      sizeof order->lists[i].sha256) == 0;
    }
    return same;
}

void generation_order_file_drop_bytes(struct generation_candidate *candidate)
{
    file_bytes_fini(&candidate->file);
}

/* What the file was in the generation before. Is it the same version now? */
static bool recall_before(const struct generation *before, struct generation_candidate *candidate)
{
    const struct generation_source *old = generation_find_source(before, candidate->path);
    if (old == NULL) {
        return false;
    }
    candidate->held_id = strdup(old->order->id);
    bool same = candidate->order != NULL && generation_same_version(candidate->order, old->order);
    if (same) {
        candidate->loaded = before->orders[old->index].loaded;
    }
    return same;
}

/* What the file was until now: its id, and when the version that it is now was first loaded. What
 * is kept already need not be kept again, unless it was another version meanwhile: that one may be
 * about to be written. */
static void recall(const struct generation_work *work, struct generation_candidate *candidate)
{
    const struct generation_options *options = work->options;
    const struct state_key key = {options->config->state, "orders", candidate->path};
    struct state_version kept;
    char why[WHY_MAX];
    bool known = state_read(&key, &kept, why) == STATE_KEPT;
    bool same = known && candidate->order != NULL && is_kept(candidate->order, &kept);
    candidate->loaded = options->now;
    if (options->before != NULL) {
        same = recall_before(options->before, candidate) && same;
    } else if (known) {
        candidate->held_id = strdup(kept.id);
        candidate->loaded = same ? kept.loaded : options->now;
    }
    if (!options->write_state ||
        (same && generation_is_kept_well(options->before == NULL, &kept))) {
        generation_order_file_drop_bytes(candidate);
    }
    state_version_fini(&kept);
}

/* The id that a file with errors claims, on the heap; NULL if it cannot be read. */
static char *claimed_id(const struct file_bytes *file)
{
    struct problem_list ignored;
    problem_list_init(&ignored);
    struct yaml_text *text = yaml_text_parse("", file->bytes, file->size, &ignored);
    struct yaml_node id = {0};
    if (text != NULL) {
        id = yaml_node_find(yaml_text_root(text), "id");
    }
    const char *claimed = yaml_node_present(id) ? yaml_node_scalar(id, NULL) : "";
    char *copy = claimed[0] != '\0' ? strdup(claimed) : NULL;
    yaml_text_free(text);
    problem_list_fini(&ignored);
    return copy;
}

/* An order whose lists lost most of their names counts as one with an error. */
static void refuse_shrunk(const struct generation_work *work,
                          struct generation_candidate *candidate)
{
    if (candidate->order != NULL && !generation_shrink_allows(work, candidate)) {
        candidate->failed_id = strdup(candidate->order->id);
        order_unref(candidate->order);
        candidate->order = NULL;
    }
}

void generation_order_file_read(struct generation_work *work,
                                struct generation_candidate *candidate)
{
    char why[WHY_MAX];
    struct reading reading = {.work = work, .candidate = candidate};
    int folder = work->folder.descriptor;
    candidate->hashed =
        !generation_is_unfinished(work, folder, candidate->path, why) &&
        file_bytes_read(folder, candidate->path, YAML_TEXT_BYTES_MAX, &candidate->file, why);
    if (candidate->hashed) {
        memcpy(candidate->sha256, candidate->file.sha256, sizeof candidate->sha256);
        candidate->order = parse(&reading, &candidate->file, work->problems);
        candidate->failed_id = candidate->order == NULL ? claimed_id(&candidate->file) : NULL;
        refuse_shrunk(work, candidate);
    } else {
        say_error(work, candidate->path, why);
    }
    recall(work, candidate);
    candidate->failed = candidate->order == NULL;
    if (candidate->failed) {
        generation_order_file_fall_back(work, candidate);
    }
}

/* ---- Last good versions ---- */

/* The first error as a sentence; without one *why stays. */
static void tell_error(const struct problem_list *problems, char why[static WHY_MAX])
{
    for (size_t i = 0; i < problems->count; i++) {
        if (problems->items[i].level == PROBLEM_ERROR) {
            problem_format(&problems->items[i], why, WHY_MAX);
            return;
        }
    }
}

/* Reads the version under state; *why says why it cannot be used. Its problems are not those of the
 * file on disk: the first error is the reason. */
static bool read_kept(struct generation_work *work, struct generation_candidate *candidate,
                      const struct state_version *kept, char why[static WHY_MAX])
{
    struct problem_list problems;
    struct file_bytes file;
    problem_list_init(&problems);
    struct reading reading = {.work = work, .candidate = candidate, .kept = kept};
    if (state_part_read(&kept->parts[0], &file, why)) {
        candidate->order = parse(&reading, &file, &problems);
        file_bytes_fini(&file);
        tell_error(&problems, why);
    }
    candidate->last_good = candidate->order != NULL;
    problem_list_fini(&problems);
    return candidate->last_good;
}

static void say_not_used(const struct generation_work *work,
                         const struct generation_candidate *candidate, const char *why)
{
    char text[2 * WHY_MAX];
    snprintf(text, sizeof text, "its last good version is not used: %s", why);
    say_error(work, candidate->path, text);
}

/* What an order leaves free because it is protected is settled when it is read. So the version that
 * was in force is read again, from under state, if it is kept there. */
static bool read_again(struct generation_work *work, struct generation_candidate *candidate,
                       const struct order *order)
{
    const struct state_key key = {work->options->config->state, "orders", candidate->path};
    struct state_version kept;
    char why[WHY_MAX];
    bool read = state_read(&key, &kept, why) == STATE_KEPT && is_kept(order, &kept) &&
                read_kept(work, candidate, &kept, why);
    state_version_fini(&kept);
    return read;
}

static void fall_back_to_before(struct generation_work *work,
                                struct generation_candidate *candidate)
{
    const struct generation *before = work->options->before;
    const struct generation_source *old = generation_find_source(before, candidate->path);
    char why[WHY_MAX];
    if (old == NULL) {
        return;
    }
    if (generation_same_guard(before, work->result) ||
        order_guard_allows(old->order, work->guard, why)) {
        candidate->order = order_ref(old->order);
        candidate->last_good = true;
    } else if (!read_again(work, candidate, old->order)) {
        say_not_used(work, candidate, why);
        return;
    }
    candidate->loaded = before->orders[old->index].loaded;
}

static void fall_back_to_state(struct generation_work *work, struct generation_candidate *candidate)
{
    const struct state_key key = {work->options->config->state, "orders", candidate->path};
    struct state_version kept;
    char why[WHY_MAX];
    switch (state_read(&key, &kept, why)) {
    case STATE_KEPT:
        if (!read_kept(work, candidate, &kept, why)) {
            say_not_used(work, candidate, why);
        }
        candidate->loaded = kept.loaded;
        break;
    case STATE_ABSENT:
        break;
    case STATE_DAMAGED:
        say_not_used(work, candidate, why);
        break;
    }
    state_version_fini(&kept);
}

void generation_order_file_fall_back(struct generation_work *work,
                                     struct generation_candidate *candidate)
{
    order_unref(candidate->order);
    candidate->order = NULL;
    candidate->last_good = false;
    if (work->options->before != NULL) {
        fall_back_to_before(work, candidate);
    } else {
        fall_back_to_state(work, candidate);
    }
    generation_order_file_drop_bytes(candidate);
}
