/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writing last good versions. Invariant: only what this load has read from its own place and found
 * good is written; a version that stands in for a broken file is there already.
 */
#include "forwarder/generation/generation_keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "forwarder/generation/generation_work.h"
#include "forwarder/generation/state.h"
#include "forwarder/log.h"
#include "geo/geo_db.h"
#include "policy/order.h"

/* One go over everything. */
struct keeping {
    const struct generation_work *work;
    size_t failures;
    char why[WHY_MAX]; /* of the first */
};

/* Takes note of what could not be written: one reason is enough for a full disk. */
static void note(struct keeping *keeping, bool done, const char *why)
{
    if (!done && keeping->failures++ == 0) {
        snprintf(keeping->why, sizeof keeping->why, "%s", why);
    }
}

/* ---- Orders ---- */

static struct state_part part_of(char *origin, const struct file_bytes *file)
{
    struct state_part part = {.origin = origin, .size = file->size, .bytes = file->bytes};
    memcpy(part.sha256, file->sha256, sizeof part.sha256);
    return part;
}

/* A list is copied from its own place: it was never held in memory. */
static struct state_part part_of_list(const struct generation_list_file *list)
{
    struct state_part part = {
        .origin = list->path, .size = (size_t)list->file.size, .source = &list->file};
    memcpy(part.sha256, list->file.sha256, sizeof part.sha256);
    return part;
}

static bool write_order(const struct generation_work *work,
                        const struct generation_candidate *candidate, char why[static WHY_MAX])
{
    const struct state_key key = {work->options->config->state, "orders", candidate->path};
    struct state_part *parts = calloc(candidate->list_count + 1, sizeof *parts);
    if (parts == NULL) {
        snprintf(why, WHY_MAX, "no memory");
        return false;
    }
    parts[0] = part_of(NULL, &candidate->file);
    for (size_t i = 0; i < candidate->list_count; i++) {
        parts[i + 1] = part_of_list(&candidate->lists[i]);
        if (i < candidate->order->list_count) {
            parts[i + 1].names = name_list_count(candidate->order->lists[i].names);
        }
    }
    const struct state_version version = {.id = candidate->order->id,
                                          .loaded = candidate->loaded,
                                          .parts = parts,
                                          .count = candidate->list_count + 1};
    bool done = state_write(&key, &version, why);
    free(parts);
    return done;
}

static void keep_orders(struct keeping *keeping)
{
    const struct generation_work *work = keeping->work;
    char why[WHY_MAX];
    for (size_t i = 0; i < work->count; i++) {
        const struct generation_candidate *candidate = &work->candidates[i];
        if (candidate->order != NULL && !candidate->last_good && candidate->file.bytes != NULL) {
            note(keeping, write_order(work, candidate, why), why);
        }
    }
}

/* At a reload the order itself is told as removed. */
static void log_forgotten(const struct generation_work *work, const char *path)
{
    char value[LOG_VALUE_MAX];
    if (work->options->before == NULL) {
        log_event(LOG_LEVEL_INFO, "orders", "last good version removed, its file is gone",
                  "file=%s", log_quote(path, value, sizeof value));
    }
}

/* An order whose file is gone must not come back at some start. */
static void forget_orders(struct keeping *keeping)
{
    const char *root = keeping->work->options->config->state;
    char why[WHY_MAX];
    size_t count;
    char **paths = state_list(root, "orders", &count);
    for (size_t i = 0; i < count; i++) {
        const struct state_key key = {root, "orders", paths[i]};
        if (generation_order_is_gone(keeping->work, paths[i])) {
            log_forgotten(keeping->work, paths[i]);
            note(keeping, state_remove(&key, why), why);
        }
        free(paths[i]);
    }
    free(paths);
}

/* ---- Single files ---- */

bool generation_is_kept_well(const struct generation_work *work, const struct state_version *kept)
{
    return work->options->before != NULL || state_version_is_whole(kept);
}

static bool is_kept(const struct generation_work *work, const struct state_key *key,
                    const uint8_t sha256[static FILE_BYTES_SHA256])
{
    struct state_version kept;
    char why[WHY_MAX];
    bool same = state_read(key, &kept, why) == STATE_KEPT &&
                memcmp(kept.parts[0].sha256, sha256, FILE_BYTES_SHA256) == 0 &&
                generation_is_kept_well(work, &kept);
    state_version_fini(&kept);
    return same;
}

static void keep_file(struct keeping *keeping, const struct state_key *key,
                      const struct state_part *part)
{
    char why[WHY_MAX];
    struct state_part parts[] = {*part};
    const struct state_version version = {
        .loaded = keeping->work->options->now, .parts = parts, .count = 1};
    note(keeping, state_write(key, &version, why), why);
}

static void keep_or_forget(struct keeping *keeping, const struct state_key *key,
                           const char *configured, const struct file_bytes *file)
{
    char why[WHY_MAX];
    if (file->bytes != NULL && !is_kept(keeping->work, key, file->sha256)) {
        const struct state_part part = part_of(NULL, file);
        keep_file(keeping, key, &part);
    } else if (configured == NULL) {
        note(keeping, state_remove(key, why), why);
    }
}

static void keep_database(struct keeping *keeping)
{
    const struct generation *result = keeping->work->result;
    const struct state_key key = {result->config->state, "geo", "database"};
    int descriptor = geo_db_descriptor(result->db);
    struct stat status;
    if (result->db_last_good || is_kept(keeping->work, &key, geo_db_sha256(result->db))) {
        return;
    }
    void *bytes = MAP_FAILED;
    if (fstat(descriptor, &status) == 0 && status.st_size > 0) {
        bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    }
    if (bytes == MAP_FAILED) {
        note(keeping, false, "the database cannot be read");
        return;
    }
    struct state_part part = {.size = (size_t)status.st_size, .bytes = bytes};
    memcpy(part.sha256, geo_db_sha256(result->db), sizeof part.sha256);
    keep_file(keeping, &key, &part);
    munmap(bytes, part.size);
}

void generation_keep(struct generation_work *work)
{
    const struct config *config = work->options->config;
    const struct state_key protected_names = {config->state, "block", "protected-names"};
    const struct state_key protected_networks = {config->state, "block", "protected-networks"};
    const struct state_key overrides = {config->state, "geo", "overrides"};
    struct keeping keeping = {.work = work};
    keep_database(&keeping);
    keep_or_forget(&keeping, &protected_names, config->block.protected_names,
                   &work->result->private->protected_names);
    keep_or_forget(&keeping, &protected_networks, config->block.protected_networks,
                   &work->result->private->protected_networks);
    keep_or_forget(&keeping, &overrides, config->geo_overrides, &work->overrides);
    keep_orders(&keeping);
    forget_orders(&keeping);
    if (keeping.failures > 0) {
        problem_list_add(work->problems, PROBLEM_WARNING, config->state, 0, 0,
                         "%zu of the last good versions could not be kept: %s", keeping.failures,
                         keeping.why);
    }
}
