/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writing last good versions. Invariant: only what its load has read from its own place and found
 * good is written; a version that stands in for a broken file is there already, or in a keep that
 * is written before.
 */
#include "forwarder/generation/generation_keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "forwarder/generation/generation_orders.h"
#include "forwarder/generation/generation_work.h"
#include "forwarder/generation/state.h"
#include "forwarder/generation/state_batch.h"
#include "forwarder/log.h"
#include "geo/geo_db.h"
#include "policy/order.h"
#include "policy/policy.h"

/* An order file that is to be kept, and its lists. */
struct keep_order {
    char *path; /* below the orders folder */
    char *id;
    int64_t loaded;
    struct file_bytes file;             /* without bytes: superseded */
    struct generation_list_file *lists; /* each is copied from its own place */
    size_t list_count;
};

/* The single files besides the database. */
enum single {
    PROTECTED_NAMES,
    PROTECTED_NETWORKS,
    OVERRIDES,
    SINGLES
};

static const struct {
    const char *kind;
    const char *path;
} single_keys[SINGLES] = {
    [PROTECTED_NAMES] = {"block", "protected-names"},
    [PROTECTED_NETWORKS] = {"block", "protected-networks"},
    [OVERRIDES] = {"geo", "overrides"},
};

/* One of these files: it is kept if there are bytes, and removed if none is configured. */
struct keep_single {
    struct file_bytes file;
    bool removed;
};

struct generation_keep {
    uint64_t number;
    char *state;
    int64_t now;
    bool at_start;
    struct order_folder folder; /* descriptor: of the orders folder, or -1 if it was not read */
    bool look_for_gone;         /* an order may be kept whose file is gone */
    char **in_force;            /* then: the paths of the orders of this generation, sorted */
    size_t in_force_count;
    struct keep_order *orders; /* by path */
    size_t count;
    struct geo_db *database; /* NULL: what is kept stays */
    struct keep_single singles[SINGLES];
};

/* ---- Collecting ---- */

static bool is_to_be_kept(const struct generation_candidate *candidate)
{
    return candidate->order != NULL && !candidate->last_good && candidate->file.bytes != NULL;
}

/* Moves an order's file out of its candidate; false when memory is out. */
static bool take_order(struct generation_keep *keep, struct generation_candidate *candidate)
{
    struct keep_order *order = &keep->orders[keep->count++];
    for (size_t i = 0; i < candidate->list_count && i < candidate->order->list_count; i++) {
        candidate->lists[i].names = name_list_count(candidate->order->lists[i].names);
    }
    *order = (struct keep_order){.path = strdup(candidate->path),
                                 .id = strdup(candidate->order->id),
                                 .loaded = candidate->loaded,
                                 .file = candidate->file,
                                 .lists = candidate->lists,
                                 .list_count = candidate->list_count};
    candidate->file = (struct file_bytes){0};
    candidate->lists = NULL;
    candidate->list_count = 0;
    return order->path != NULL && order->id != NULL;
}

static bool take_orders(struct generation_keep *keep, struct generation_work *work)
{
    size_t count = 0;
    for (size_t i = 0; i < work->count; i++) {
        count += is_to_be_kept(&work->candidates[i]);
    }
    keep->orders = calloc(count + 1, sizeof *keep->orders);
    bool taken = keep->orders != NULL;
    for (size_t i = 0; taken && i < work->count; i++) {
        if (is_to_be_kept(&work->candidates[i])) {
            taken = take_order(keep, &work->candidates[i]);
        }
    }
    return taken;
}

/* Were there orders before whose files are not there any more? */
static bool lost_orders(const struct generation_work *work)
{
    const struct generation *before = work->options->before;
    size_t count = before == NULL ? 0 : policy_order_count(before->policy);
    bool lost = before == NULL;
    for (size_t i = 0; !lost && i < count; i++) {
        lost = generation_orders_find(work, before->orders[i].path) == NULL;
    }
    return lost;
}

/* Moves the open folder, below which the lists lie. An order that is in force stays kept, even if
 * its file is removed before removed files are looked for. */
static bool take_folder(struct generation_keep *keep, struct generation_work *work)
{
    bool taken = true;
    keep->look_for_gone = lost_orders(work);
    if (keep->look_for_gone) {
        keep->in_force = calloc(work->count + 1, sizeof *keep->in_force);
        taken = keep->in_force != NULL;
    }
    for (size_t i = 0; taken && keep->look_for_gone && i < work->count; i++) {
        if (work->candidates[i].order != NULL) {
            char *path = strdup(work->candidates[i].path);
            keep->in_force[keep->in_force_count++] = path;
            taken = path != NULL;
        }
    }
    if (work->folder_read) {
        keep->folder = work->folder;
        work->folder = (struct order_folder){.descriptor = -1};
        work->folder_read = false;
    }
    return taken;
}

static bool take_single(struct keep_single *single, const char *configured,
                        const struct file_bytes *file)
{
    single->removed = configured == NULL;
    return file->bytes == NULL || file_bytes_copy(file->bytes, file->size, &single->file);
}

static bool take_singles(struct generation_keep *keep, struct generation_work *work)
{
    const struct config *config = work->options->config;
    const struct generation_private *private = work->result->private;
    keep->singles[OVERRIDES] = (struct keep_single){work->overrides, config->geo_overrides == NULL};
    work->overrides = (struct file_bytes){0};
    return take_single(&keep->singles[PROTECTED_NAMES], config->block.protected_names,
                       &private->protected_names) &&
           take_single(&keep->singles[PROTECTED_NETWORKS], config->block.protected_networks,
                       &private->protected_networks);
}

struct generation_keep *generation_keep_new(struct generation_work *work)
{
    const struct generation *result = work->result;
    struct generation_keep *keep = calloc(1, sizeof *keep);
    if (keep == NULL) {
        return NULL;
    }
    keep->number = result->number;
    keep->now = work->options->now;
    keep->at_start = work->options->before == NULL;
    keep->folder.descriptor = -1;
    keep->database = result->db_last_good ? NULL : geo_db_ref(result->db);
    keep->state = strdup(work->options->config->state);
    if (keep->state == NULL || !take_orders(keep, work) || !take_singles(keep, work) ||
        !take_folder(keep, work)) {
        generation_keep_free(keep);
        return NULL;
    }
    return keep;
}

/* ---- What is freed ---- */

static void order_fini(struct keep_order *order)
{
    file_bytes_fini(&order->file);
    generation_list_files_free(order->lists, order->list_count);
    free(order->path);
    free(order->id);
}

void generation_keep_free(struct generation_keep *keep)
{
    if (keep == NULL) {
        return;
    }
    for (size_t i = 0; i < keep->count; i++) {
        order_fini(&keep->orders[i]);
    }
    for (size_t i = 0; i < SINGLES; i++) {
        file_bytes_fini(&keep->singles[i].file);
    }
    for (size_t i = 0; i < keep->in_force_count; i++) {
        free(keep->in_force[i]);
    }
    free(keep->in_force);
    free(keep->orders);
    geo_db_unref(keep->database);
    order_folder_fini(&keep->folder);
    free(keep->state);
    free(keep);
}

/* ---- Two that wait ---- */

uint64_t generation_keep_number(const struct generation_keep *keep)
{
    return keep->number;
}

static int compare_paths(const void *a, const void *b)
{
    const struct keep_order *left = a, *right = b;
    return strcmp(left->path, right->path);
}

bool generation_keep_supersede(struct generation_keep *older, const struct generation_keep *newer)
{
    bool left = false;
    for (size_t i = 0; i < older->count; i++) {
        struct keep_order *order = &older->orders[i];
        if (newer->count > 0 &&
            bsearch(order, newer->orders, newer->count, sizeof *order, compare_paths) != NULL) {
            file_bytes_fini(&order->file);
        }
        left = left || order->file.bytes != NULL;
    }
    for (size_t i = 0; i < SINGLES; i++) {
        struct keep_single *single = &older->singles[i];
        if (newer->singles[i].file.bytes != NULL || newer->singles[i].removed) {
            file_bytes_fini(&single->file);
            single->removed = false;
        }
        left = left || single->file.bytes != NULL || single->removed;
    }
    if (newer->database != NULL) {
        geo_db_unref(older->database);
        older->database = NULL;
    }
    return !left && older->database == NULL && (!older->look_for_gone || newer->look_for_gone);
}

/* ---- Writing ---- */

/* One go over everything. */
struct keeping {
    const struct generation_keep *keep;
    struct state_batch *batch;
    size_t failures;
    char why[WHY_MAX]; /* of the first */
};

/* Takes note of what could not be written: one reason is enough for a full disk. */
static void note(struct keeping *keeping, size_t failures, const char *why)
{
    if (failures > 0 && keeping->failures == 0) {
        snprintf(keeping->why, sizeof keeping->why, "%s", why);
    }
    keeping->failures += failures;
}

static struct state_part part_of(const struct file_bytes *file)
{
    struct state_part part = {.size = file->size, .bytes = file->bytes};
    memcpy(part.sha256, file->sha256, sizeof part.sha256);
    return part;
}

/* A list is copied from its own place: it was never held in memory. */
static struct state_part part_of_list(const struct generation_list_file *list)
{
    struct state_part part = {.origin = list->path,
                              .size = (size_t)list->file.size,
                              .names = list->names,
                              .source = &list->file};
    memcpy(part.sha256, list->file.sha256, sizeof part.sha256);
    return part;
}

static bool write_order(struct keeping *keeping, const struct keep_order *order,
                        char why[static WHY_MAX])
{
    const struct state_key key = {keeping->keep->state, "orders", order->path};
    struct state_part *parts = calloc(order->list_count + 1, sizeof *parts);
    if (parts == NULL) {
        snprintf(why, WHY_MAX, "no memory");
        return false;
    }
    parts[0] = part_of(&order->file);
    for (size_t i = 0; i < order->list_count; i++) {
        parts[i + 1] = part_of_list(&order->lists[i]);
    }
    const struct state_version version = {
        .id = order->id, .loaded = order->loaded, .parts = parts, .count = order->list_count + 1};
    bool done = state_batch_add(keeping->batch, &key, &version, why);
    free(parts);
    return done;
}

static void write_orders(struct keeping *keeping)
{
    char why[WHY_MAX];
    for (size_t i = 0; i < keeping->keep->count; i++) {
        const struct keep_order *order = &keeping->keep->orders[i];
        if (order->file.bytes != NULL) {
            note(keeping, !write_order(keeping, order, why), why);
        }
    }
}

bool generation_is_kept_well(bool at_start, const struct state_version *kept)
{
    return !at_start || state_version_is_whole(kept);
}

static bool is_kept(const struct generation_keep *keep, const struct state_key *key,
                    const uint8_t sha256[static FILE_BYTES_SHA256])
{
    struct state_version kept;
    char why[WHY_MAX];
    bool same = state_read(key, &kept, why) == STATE_KEPT &&
                memcmp(kept.parts[0].sha256, sha256, FILE_BYTES_SHA256) == 0 &&
                generation_is_kept_well(keep->at_start, &kept);
    state_version_fini(&kept);
    return same;
}

static void write_file(struct keeping *keeping, const struct state_key *key,
                       const struct state_part *part)
{
    char why[WHY_MAX];
    struct state_part parts[] = {*part};
    const struct state_version version = {.loaded = keeping->keep->now, .parts = parts, .count = 1};
    note(keeping, !state_batch_add(keeping->batch, key, &version, why), why);
}

static void write_singles(struct keeping *keeping)
{
    for (size_t i = 0; i < SINGLES; i++) {
        const struct file_bytes *file = &keeping->keep->singles[i].file;
        const struct state_key key = {keeping->keep->state, single_keys[i].kind,
                                      single_keys[i].path};
        if (file->bytes != NULL && !is_kept(keeping->keep, &key, file->sha256)) {
            const struct state_part part = part_of(file);
            write_file(keeping, &key, &part);
        }
    }
}

static void write_database(struct keeping *keeping)
{
    const struct geo_db *database = keeping->keep->database;
    const struct state_key key = {keeping->keep->state, "geo", "database"};
    struct stat status;
    if (database == NULL || is_kept(keeping->keep, &key, geo_db_sha256(database))) {
        return;
    }
    int descriptor = geo_db_descriptor(database);
    void *bytes = MAP_FAILED;
    if (fstat(descriptor, &status) == 0 && status.st_size > 0) {
        bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    }
    if (bytes == MAP_FAILED) {
        note(keeping, 1, "the database cannot be read");
        return;
    }
    struct state_part part = {.size = (size_t)status.st_size, .bytes = bytes};
    memcpy(part.sha256, geo_db_sha256(database), sizeof part.sha256);
    write_file(keeping, &key, &part);
    munmap(bytes, part.size);
}

/* ---- Removing ---- */

static void remove_singles(struct keeping *keeping)
{
    char why[WHY_MAX];
    for (size_t i = 0; i < SINGLES; i++) {
        const struct state_key key = {keeping->keep->state, single_keys[i].kind,
                                      single_keys[i].path};
        if (keeping->keep->singles[i].removed) {
            note(keeping, !state_remove(&key, why), why);
        }
    }
}

/* At a reload the order itself is told as removed. */
static void log_forgotten(const struct generation_keep *keep, const char *path)
{
    char value[LOG_VALUE_MAX];
    if (keep->at_start) {
        log_event(LOG_LEVEL_INFO, "orders", "last good version removed, its file is gone",
                  "file=%s", log_quote(path, value, sizeof value));
    }
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_in_force(const struct generation_keep *keep, const char *path)
{
    return keep->in_force_count > 0 &&
           bsearch(&path, keep->in_force, keep->in_force_count, sizeof path, compare_texts) != NULL;
}

/* An order whose file is gone must not come back at some start. */
static void forget_orders(struct keeping *keeping)
{
    const struct generation_keep *keep = keeping->keep;
    char why[WHY_MAX];
    size_t count = 0;
    char **paths = keep->look_for_gone ? state_list(keep->state, "orders", &count) : NULL;
    for (size_t i = 0; i < count; i++) {
        const struct state_key key = {keep->state, "orders", paths[i]};
        if (!is_in_force(keep, paths[i]) &&
            generation_order_is_gone(keep->folder.descriptor, paths[i])) {
            log_forgotten(keep, paths[i]);
            note(keeping, !state_remove(&key, why), why);
        }
        free(paths[i]);
    }
    free(paths);
}

bool generation_keep_write(struct generation_keep *keep, char why[static WHY_MAX])
{
    struct keeping keeping = {.keep = keep, .batch = state_batch_new(keep->state)};
    if (keeping.batch == NULL) {
        snprintf(why, WHY_MAX, "no memory to keep the last good versions");
        return false;
    }
    write_database(&keeping);
    write_singles(&keeping);
    write_orders(&keeping);
    char reason[WHY_MAX];
    note(&keeping, state_batch_commit(keeping.batch, reason), reason);
    state_batch_free(keeping.batch);
    remove_singles(&keeping);
    forget_orders(&keeping);
    if (keeping.failures > 0) {
        snprintf(why, WHY_MAX, "%zu of the last good versions could not be kept: %.200s",
                 keeping.failures, keeping.why);
    }
    return keeping.failures == 0;
}
