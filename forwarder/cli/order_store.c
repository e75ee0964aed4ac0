/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Order files under a lock (see order_store.h).
 */
#include "forwarder/cli/order_store.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/cli_set.h"
#include "forwarder/cli/order_lock.h"
#include "forwarder/explain/problem_report.h"
#include "forwarder/generation/generation_guard.h"
#include "policy/guard.h"
#include "policy/order_peek.h"
#include "policy/yaml_text.h"

/* ---- The store ---- */

bool order_store_open(struct order_store *store, const struct cli_options *options)
{
    struct problem_list problems;
    problem_list_init(&problems);
    *store = (struct order_store){
        .wait_s = order_lock_wait_s(options), .lock = -1, .folder = {.descriptor = -1}};
    store->config = cli_set_config(cli_options_config(options));
    if (store->config != NULL) {
        store->guard = generation_guard_read(store->config, &problems);
    }
    problem_report(&problems, stderr);
    problem_list_fini(&problems);
    if (store->guard == NULL) {
        order_store_close(store);
        return false;
    }
    return true;
}

void order_store_close(struct order_store *store)
{
    order_store_unlock(store);
    guard_free(store->guard);
    config_free(store->config);
    *store = (struct order_store){.lock = -1, .folder = {.descriptor = -1}};
}

static bool walk(struct order_store *store)
{
    struct problem_list problems;
    problem_list_init(&problems);
    bool read = order_folder_read(store->root, &store->folder, &problems);
    if (!read) {
        problem_report(&problems, stderr);
    }
    problem_list_fini(&problems);
    return read;
}

bool order_store_lock(struct order_store *store)
{
    store->root = realpath(store->config->orders, NULL);
    if (store->root == NULL) {
        cli_output_error("%s: cannot be locked: %s", store->config->orders, strerror(errno));
        return false;
    }
    store->lock = order_lock_take(store->root, store->config->orders, store->wait_s);
    if (store->lock < 0) {
        order_store_unlock(store);
        return false;
    }
    if (!walk(store)) {
        order_store_unlock(store);
        return false;
    }
    return true;
}

void order_store_unlock(struct order_store *store)
{
    order_folder_fini(&store->folder);
    if (store->lock >= 0) {
        close(store->lock);
    }
    store->lock = -1;
    free(store->root);
    store->root = NULL;
}

/* ---- Files ---- */

void order_draft_fini(struct order_draft *draft)
{
    order_peek_free(draft->peek);
    file_replace_fini(&draft->file);
    free(draft->name);
    *draft = (struct order_draft){0};
}

/* Reads a file and looks into it; what is wrong goes into problems. */
static bool read_draft(const struct order_store *store, const struct order_folder_entry *entry,
                       struct order_draft *out, struct problem_list *problems)
{
    char why[WHY_MAX] = "out of memory";
    char *path = NULL;
    bool read = false;
    *out = (struct order_draft){.scope = entry->scope};
    if (asprintf(&out->name, "%s/%s", store->config->orders, entry->path) < 0) {
        out->name = NULL;
        problem_list_add(problems, PROBLEM_ERROR, entry->path, 0, 0, "%s", why);
        return false;
    }
    out->path = out->name + strlen(store->config->orders) + 1;
    if (asprintf(&path, "%s/%s", store->root, entry->path) >= 0) {
        read = file_replace_open(path, YAML_TEXT_BYTES_MAX, &out->file, why);
        free(path);
    }
    if (!read) {
        problem_list_add(problems, PROBLEM_ERROR, out->name, 0, 0, "%s", why);
        return false;
    }
    out->peek = order_peek_open(out->name, &out->file.file, problems);
    return out->peek != NULL && order_peek_status(out->peek, &out->status, problems);
}

bool order_store_read(const struct order_store *store, const struct order_folder_entry *entry,
                      struct order_draft *out)
{
    struct problem_list problems;
    problem_list_init(&problems);
    bool read = read_draft(store, entry, out, &problems);
    problem_report(&problems, stderr);
    problem_list_fini(&problems);
    if (!read) {
        order_draft_fini(out);
    }
    return read;
}

/* May this be a file with the id? Its characters stand in the file as they are, unless the file has
 * escapes. */
static bool may_have(const struct file_bytes *file, const char *id)
{
    return memmem(file->bytes, file->size, id, strlen(id)) != NULL ||
           memchr(file->bytes, '\\', file->size) != NULL;
}

enum claim {
    CLAIM_NONE,
    CLAIM_HAS,
    CLAIM_UNREADABLE, /* said on standard error */
};

/* Does the file of an entry claim the id? Most need not be parsed to know. */
static enum claim claims(const struct order_store *store, const struct order_folder_entry *entry,
                         const char *id)
{
    struct file_bytes file = {0};
    struct order_draft draft = {0};
    char why[WHY_MAX];
    enum claim claim = CLAIM_UNREADABLE;
    if (!entry->is_order) {
        return CLAIM_NONE;
    }
    if (file_bytes_read(store->folder.descriptor, entry->path, YAML_TEXT_BYTES_MAX, &file, why) &&
        !may_have(&file, id)) {
        claim = CLAIM_NONE;
    } else if (order_store_read(store, entry, &draft)) {
        claim = strcmp(order_peek_id(draft.peek), id) == 0 ? CLAIM_HAS : CLAIM_NONE;
    }
    order_draft_fini(&draft);
    file_bytes_fini(&file);
    return claim;
}

bool order_store_has(const struct order_store *store, const char *id)
{
    for (size_t i = 0; i < store->folder.count; i++) {
        const struct order_folder_entry *entry = &store->folder.entries[i];
        if (claims(store, entry, id) == CLAIM_HAS) {
            cli_output_error("the id %s is that of %s/%s already", id, store->config->orders,
                             entry->path);
            return true;
        }
    }
    return false;
}

bool order_store_find(const struct order_store *store, const char *id, struct order_draft *out)
{
    const struct order_folder_entry *found = NULL;
    *out = (struct order_draft){0};
    for (size_t i = 0; i < store->folder.count; i++) {
        const struct order_folder_entry *entry = &store->folder.entries[i];
        if (claims(store, entry, id) != CLAIM_HAS) {
            continue;
        }
        if (found != NULL) {
            cli_output_error("the id %s is that of %s and of %s; mend that first", id, found->path,
                             entry->path);
            return false;
        }
        found = entry;
    }
    if (found == NULL) {
        cli_output_error("no order has the id %s", id);
        return false;
    }
    return order_store_read(store, found, out);
}

/* ---- Judging and writing ---- */

struct name_list *order_store_any_list(void *ctx, const struct name_list_options *options,
                                       uint8_t sha256[static FILE_BYTES_SHA256],
                                       struct problem_list *problems)
{
    static const char bytes[] = "list.invalid\n";
    const struct name_list_options plain = {
        .name = options->name, .guard = options->guard, .seed = options->seed};
    (void)ctx;
    memset(sha256, 0, FILE_BYTES_SHA256);
    return name_list_parse(&plain, bytes, sizeof bytes - 1, problems);
}

struct order *order_store_judge(const struct order_store *store, const struct order_draft *draft,
                                const struct file_bytes *bytes, struct problem_list *problems)
{
    static const struct order_store_lists any = {order_store_any_list, NULL};
    return order_store_judge_lists(store, draft, bytes, &any, problems);
}

struct order *order_store_judge_lists(const struct order_store *store,
                                      const struct order_draft *draft,
                                      const struct file_bytes *bytes,
                                      const struct order_store_lists *lists,
                                      struct problem_list *problems)
{
    const struct order_file_env env = {.folder = draft->scope,
                                       .guard = store->guard,
                                       .default_action = store->config->block.action,
                                       .seed = ORDER_STORE_SEED,
                                       .now = (int64_t)time(NULL),
                                       .open_list = lists->open,
                                       .ctx = lists->ctx};
    return order_file_parse(&env, draft->name, bytes, problems);
}

struct order *order_store_next(const struct order_store *store, const struct order_draft *draft,
                               const struct order_edit *edit, struct file_bytes *next,
                               struct problem_list *problems)
{
    if (!order_edit_apply(draft->name, &draft->file.file, edit, next, problems)) {
        return NULL;
    }
    return order_store_judge(store, draft, next, problems);
}

bool order_store_put(const struct order_draft *draft, const struct file_bytes *next,
                     struct problem_list *problems)
{
    char why[WHY_MAX];
    if (file_replace_write(&draft->file, next, why)) {
        return true;
    }
    problem_list_add(problems, PROBLEM_ERROR, draft->name, 0, 0, "%s", why);
    return false;
}

bool order_store_write(const struct order_store *store, const struct order_draft *draft,
                       const struct order_edit *edit, struct problem_list *problems)
{
    struct file_bytes next;
    struct order *order = order_store_next(store, draft, edit, &next, problems);
    bool done = order != NULL && order_store_put(draft, &next, problems);
    order_unref(order);
    file_bytes_fini(&next);
    return done;
}

/* ---- Who and when ---- */

void order_author_init(struct order_author *author, const struct cli_options *options)
{
    const char *by = options->value[CLI_OPTION_BY];
    const struct passwd *user = getpwuid(getuid());
    if (by == NULL && getuid() == 0) {
        by = getenv("SUDO_USER");
    }
    if ((by == NULL || by[0] == '\0') && user != NULL) {
        by = user->pw_name;
    }
    if (by != NULL && by[0] != '\0') {
        snprintf(author->by, sizeof author->by, "%s", by);
    } else {
        snprintf(author->by, sizeof author->by, "uid %ju", (uintmax_t)getuid());
    }
    instant_format((int64_t)time(NULL), author->at);
}
