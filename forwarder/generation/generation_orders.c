/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * All order files of one load. Invariant: afterwards the candidates stand in the order of their
 * paths, no path stands twice, and no two orders that come into force share an id.
 */
#include "forwarder/generation/generation_orders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forwarder/generation/generation_order_file.h"
#include "forwarder/generation/generation_work.h"
#include "forwarder/generation/state.h"
#include "geo/file_identity.h"
#include "policy/order.h"
#include "policy/policy.h"

static void say(const struct generation_work *work, enum problem_level level, const char *path,
                const char *text)
{
    char name[GENERATION_NAME_MAX];
    problem_list_add(work->problems, level, generation_order_name(work, path, name), 0, 0, "%s",
                     text);
}

static void no_memory(struct generation_work *work)
{
    problem_list_add(work->problems, PROBLEM_ERROR, work->options->config->orders, 0, 0,
                     "no memory to read the orders");
    work->unusable = true;
}

/* Adds a candidate for a path, which is copied; NULL when memory is out. */
static struct generation_candidate *add_candidate(struct generation_work *work, const char *path,
                                                  const struct order_folder_scope *scope)
{
    struct generation_candidate *more =
        reallocarray(work->candidates, work->count + 1, sizeof *more);
    char *copy = strdup(path);
    if (more != NULL) {
        work->candidates = more;
    }
    if (more == NULL || copy == NULL) {
        free(copy);
        no_memory(work);
        return NULL;
    }
    more[work->count] = (struct generation_candidate){.path = copy, .scope = *scope};
    return &more[work->count++];
}

/* The scope that a path's first folder stands for. False for a path without one. */
static bool scope_of_path(const char *path, struct order_folder_scope *out)
{
    char folder[8], why[WHY_MAX];
    size_t len = strcspn(path, "/");
    if (path[len] != '/' || len >= sizeof folder) {
        return false;
    }
    memcpy(folder, path, len);
    folder[len] = '\0';
    return order_folder_scope_parse(folder, out, why);
}

/* ---- The files that are there ---- */

static void read_files(struct generation_work *work)
{
    for (size_t i = 0; i < work->folder.count; i++) {
        const struct order_folder_entry *entry = &work->folder.entries[i];
        struct generation_candidate *candidate =
            entry->is_order ? add_candidate(work, entry->path, &entry->scope) : NULL;
        if (candidate != NULL) {
            generation_order_file_read(work, candidate);
        }
    }
}

/* ---- The files that were there ---- */

bool generation_order_is_gone(int folder, const char *path)
{
    struct stat status;
    if (folder < 0) {
        return false;
    }
    if (fstatat(folder, path, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT || errno == ENOTDIR;
    }
    return S_ISDIR(status.st_mode);
}

static int compare_paths(const void *a, const void *b)
{
    const struct generation_candidate *left = a, *right = b;
    return strcmp(left->path, right->path);
}

static int compare_to_path(const void *path, const void *candidate)
{
    return strcmp(path, ((const struct generation_candidate *)candidate)->path);
}

/* Among the first count candidates, which are sorted. */
static const struct generation_candidate *find_candidate(const struct generation_work *work,
                                                         size_t count, const char *path)
{
    return count == 0 ? NULL
                      : bsearch(path, work->candidates, count, sizeof work->candidates[0],
                                compare_to_path);
}

const struct generation_candidate *generation_orders_find(const struct generation_work *work,
                                                          const char *path)
{
    return find_candidate(work, work->count, path);
}

/* The id of the order that a path was until now, on the heap; NULL if it is not known. */
static char *id_before(const struct generation_work *work, const char *path)
{
    const struct generation_options *options = work->options;
    if (options->before != NULL) {
        return strdup(generation_find_source(options->before, path)->order->id);
    }
    const struct state_key key = {options->config->state, "orders", path};
    struct state_version kept;
    char why[WHY_MAX];
    char *id = state_read(&key, &kept, why) == STATE_KEPT ? strdup(kept.id) : NULL;
    state_version_fini(&kept);
    return id;
}

/* The file that claims the id of an order whose own file is gone, and has an error: it was renamed
 * and edited at once. NULL: there is none. */
static const struct generation_candidate *find_heir(const struct generation_work *work, size_t seen,
                                                    const char *path)
{
    char *id = id_before(work, path);
    const struct generation_candidate *heir = NULL;
    for (size_t i = 0; id != NULL && heir == NULL && i < seen; i++) {
        const struct generation_candidate *candidate = &work->candidates[i];
        if (candidate->failed && candidate->failed_id != NULL &&
            strcmp(candidate->failed_id, id) == 0) {
            heir = candidate;
        }
    }
    free(id);
    return heir;
}

/* Says why an order without its file is in force. */
static void say_unseen(const struct generation_work *work, const char *path, const char *heir)
{
    char text[GENERATION_NAME_MAX + WHY_MAX], name[GENERATION_NAME_MAX];
    if (heir != NULL) {
        snprintf(text, sizeof text,
                 "its id is now that of %s, which has an error; its last good version stays",
                 generation_order_name(work, heir, name));
        say(work, PROBLEM_ERROR, path, text);
    } else if (work->folder_read) {
        say(work, PROBLEM_ERROR, path, "cannot be reached; its last good version stays");
    }
}

/* An order that was in force and whose file was not found though it is not gone (its folder cannot
 * be read), or is another one now, which is broken. */
static void keep_unseen(struct generation_work *work, size_t seen, const char *path)
{
    struct order_folder_scope scope;
    int folder = work->folder_read ? work->folder.descriptor : -1;
    if (find_candidate(work, seen, path) != NULL || !scope_of_path(path, &scope)) {
        return;
    }
    bool gone = generation_order_is_gone(folder, path);
    const struct generation_candidate *heir = gone ? find_heir(work, seen, path) : NULL;
    if (gone && heir == NULL) {
        return;
    }
    const char *heir_path = heir == NULL ? NULL : heir->path; /* candidates move, paths do not */
    struct generation_candidate *candidate = add_candidate(work, path, &scope);
    if (candidate != NULL) {
        candidate->failed = true;
        generation_order_file_fall_back(work, candidate);
        say_unseen(work, path, heir_path);
    }
}

/* Every order that was in force before, at a start those under state. */
static void keep_unseen_orders(struct generation_work *work)
{
    const struct generation *before = work->options->before;
    size_t seen = work->count, known;
    if (before != NULL) {
        known = policy_order_count(before->policy);
        for (size_t i = 0; i < known; i++) {
            keep_unseen(work, seen, before->orders[i].path);
        }
        return;
    }
    char **paths = state_list(work->options->config->state, "orders", &known);
    for (size_t i = 0; i < known; i++) {
        keep_unseen(work, seen, paths[i]);
        free(paths[i]);
    }
    free(paths);
}

/* ---- One file for each id ---- */

/* Of two files with one id the file that had it before comes first, else the one by path. */
static int compare_claims(const void *a, const void *b)
{
    const struct generation_candidate *left = *(struct generation_candidate *const *)a;
    const struct generation_candidate *right = *(struct generation_candidate *const *)b;
    int order = strcmp(left->order->id, right->order->id);
    if (order != 0) {
        return order;
    }
    bool left_held = left->held_id != NULL && strcmp(left->held_id, left->order->id) == 0;
    bool right_held = right->held_id != NULL && strcmp(right->held_id, right->order->id) == 0;
    return left_held != right_held ? (left_held ? -1 : 1) : strcmp(left->path, right->path);
}

/* All files with an order, the best claim to each id first; how many. */
static size_t sort_claims(const struct generation_work *work, struct generation_candidate **claims)
{
    size_t count = 0;
    for (size_t i = 0; i < work->count; i++) {
        if (work->candidates[i].order != NULL) {
            claims[count++] = &work->candidates[i];
        }
    }
    qsort(claims, count, sizeof claims[0], compare_claims);
    return count;
}

/* Takes its id from a file: its last good version had another one, or it is left out. */
static void refuse_id(struct generation_work *work, struct generation_candidate *loser,
                      const struct generation_candidate *winner)
{
    char name[GENERATION_NAME_MAX], other[GENERATION_NAME_MAX];
    problem_list_add(work->problems, PROBLEM_ERROR, generation_order_name(work, loser->path, name),
                     loser->order->id_line, loser->order->id_column,
                     "the id %s is that of %s already", loser->order->id,
                     generation_order_name(work, winner->path, other));
    loser->failed = true;
    free(loser->failed_id);
    loser->failed_id = strdup(loser->order->id);
    if (loser->last_good) {
        order_unref(loser->order);
        loser->order = NULL;
        loser->last_good = false;
    } else {
        generation_order_file_fall_back(work, loser);
    }
}

/* Leaves each id to the file with the best claim. Did any file lose its id? It may stand at its
 * last good version now, whose id is another one. */
static bool refuse_lesser_claims(struct generation_work *work, struct generation_candidate **claims)
{
    size_t count = sort_claims(work, claims);
    const struct generation_candidate *winner = NULL;
    bool refused = false;
    for (size_t i = 0; i < count; i++) {
        if (winner == NULL || strcmp(claims[i]->order->id, winner->order->id) != 0) {
            winner = claims[i];
        } else {
            refuse_id(work, claims[i], winner);
            refused = true;
        }
    }
    return refused;
}

static void settle_ids(struct generation_work *work)
{
    struct generation_candidate **claims = calloc(work->count + 1, sizeof *claims);
    if (claims == NULL) {
        no_memory(work);
        return;
    }
    while (refuse_lesser_claims(work, claims)) {
        /* a file loses its id twice at most: its new version's, and its last good one's */
    }
    free(claims);
}

/* ---- Files that nothing names ---- */

struct identities {
    struct file_identity *items; /* sorted, once all are there */
    size_t count;
};

/* The file at path; of a link that leads nowhere the link itself. */
static bool identify(const struct generation_work *work, const char *path,
                     struct file_identity *out)
{
    struct stat link;
    if (file_identity_of(work->folder.descriptor, path, out)) {
        return true;
    }
    if (fstatat(work->folder.descriptor, path, &link, AT_SYMLINK_NOFOLLOW) != 0) {
        return false;
    }
    *out = (struct file_identity){link.st_dev, link.st_ino};
    return true;
}

static void add_identity(const struct generation_work *work, const char *order, const char *list,
                         struct identities *out)
{
    char path[GENERATION_NAME_MAX];
    generation_order_file_list_path(order, list, path);
    out->count += identify(work, path, &out->items[out->count]);
}

/* All files that orders name as lists: as the files are, and as those that are in force. False when
 * memory is out. */
static bool named_lists(const struct generation_work *work, struct identities *out)
{
    size_t most = 0;
    for (size_t i = 0; i < work->count; i++) {
        const struct generation_candidate *candidate = &work->candidates[i];
        most +=
            candidate->list_count + (candidate->order == NULL ? 0 : candidate->order->list_count);
    }
    *out = (struct identities){.items = calloc(most + 1, sizeof *out->items)};
    if (out->items == NULL) {
        return false;
    }
    for (size_t i = 0; i < work->count; i++) {
        const struct generation_candidate *candidate = &work->candidates[i];
        const struct order *order = candidate->order;
        for (size_t j = 0; j < candidate->list_count; j++) {
            add_identity(work, candidate->path, candidate->lists[j].path, out);
        }
        for (size_t j = 0; order != NULL && j < order->list_count; j++) {
            add_identity(work, candidate->path, order->lists[j].path, out);
        }
    }
    qsort(out->items, out->count, sizeof out->items[0], file_identity_compare);
    return true;
}

static void warn_of_unnamed(const struct generation_work *work)
{
    struct identities named;
    if (!named_lists(work, &named)) {
        return;
    }
    for (size_t i = 0; i < work->folder.count; i++) {
        const struct order_folder_entry *entry = &work->folder.entries[i];
        struct file_identity identity;
        if (!entry->is_order && (!identify(work, entry->path, &identity) ||
                                 bsearch(&identity, named.items, named.count, sizeof identity,
                                         file_identity_compare) == NULL)) {
            say(work, PROBLEM_WARNING, entry->path,
                "neither an order (*.yaml, *.yml) nor a list that an order names");
        }
    }
    free(named.items);
}

/* ---- All together ---- */

/* Is there nothing at all in the folder, not even one of a country? */
static bool is_bare(const struct generation_work *work)
{
    int descriptor = openat(work->folder.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = descriptor < 0 ? NULL : fdopendir(descriptor);
    if (folder == NULL) {
        if (descriptor >= 0) {
            close(descriptor);
        }
        return false;
    }
    const struct dirent *entry;
    bool bare = true;
    while (bare && (entry = readdir(folder)) != NULL) {
        bare = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    }
    closedir(folder);
    return bare;
}

/* Were there orders before, at a start under state? */
static bool had_orders(const struct generation_work *work)
{
    const struct generation *before = work->options->before;
    size_t known = 0;
    if (before != NULL) {
        return policy_order_count(before->policy) > 0;
    }
    char **paths = state_list(work->options->config->state, "orders", &known);
    for (size_t i = 0; i < known; i++) {
        free(paths[i]);
    }
    free(paths);
    return known > 0;
}

/* A folder that has lost everything in it is most likely a file system that is not mounted: as good
 * as unreadable. */
static void refuse_bare_folder(struct generation_work *work)
{
    if (work->folder_read && work->folder.count == 0 && is_bare(work) && had_orders(work)) {
        problem_list_add(work->problems, PROBLEM_ERROR, work->options->config->orders, 0, 0,
                         "the folder is empty, as if something were not mounted: the last good "
                         "versions stay; a country's folder in it, even an empty one, says that "
                         "there are no orders");
        order_folder_fini(&work->folder);
        work->folder_read = false;
    }
}

/* One order, whatever else lies in the folder. Nobody else has seen it yet, so it may be changed.
 */
static void read_only_order(struct generation_work *work)
{
    const struct order_folder_entry *only = work->options->only;
    const char *root = work->options->config->orders;
    work->folder = (struct order_folder){
        .descriptor = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
    };
    work->folder_read = work->folder.descriptor >= 0;
    if (!work->folder_read) {
        problem_list_add(work->problems, PROBLEM_ERROR, root, 0, 0, "cannot open this folder: %s",
                         strerror(errno));
        return;
    }
    struct generation_candidate *candidate = add_candidate(work, only->path, &only->scope);
    if (candidate != NULL) {
        generation_order_file_read(work, candidate);
    }
    if (candidate != NULL && candidate->order != NULL) {
        candidate->order->status = ORDER_ACTIVE;
        candidate->order->window_count = 0;
    }
}

void generation_orders_read(struct generation_work *work)
{
    if (work->options->only != NULL) {
        read_only_order(work);
        return;
    }
    work->folder_read =
        order_folder_read(work->options->config->orders, &work->folder, work->problems);
    refuse_bare_folder(work);
    if (work->folder_read) {
        read_files(work);
    }
    keep_unseen_orders(work);
    if (work->count > 0) {
        qsort(work->candidates, work->count, sizeof work->candidates[0], compare_paths);
    }
    settle_ids(work);
    if (work->folder_read) {
        warn_of_unnamed(work);
    }
}

void generation_list_files_free(struct generation_list_file *lists, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(lists[i].path);
        free(lists[i].place);
    }
    free(lists);
}

void generation_orders_fini(struct generation_work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        struct generation_candidate *candidate = &work->candidates[i];
        generation_order_file_drop_bytes(candidate);
        generation_list_files_free(candidate->lists, candidate->list_count);
        order_unref(candidate->order);
        free(candidate->path);
        free(candidate->held_id);
        free(candidate->failed_id);
    }
    free(work->candidates);
    work->candidates = NULL;
    work->count = 0;
    if (work->folder_read) {
        order_folder_fini(&work->folder);
    }
    work->folder_read = false;
}
