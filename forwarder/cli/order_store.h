/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The orders folder in the hands of an operator: one command at a time changes it, each file is
 * found by its id, read, changed and judged by the code of the daemon before it is put in place.
 * What is wrong is said on standard error. Lists are not read here (forwarder/cli/list_draft.h).
 */
#pragma once

#include "forwarder/cli/file_replace.h"
#include "policy/instant.h"
#include "policy/order_edit.h"
#include "policy/order_file.h"
#include "policy/order_folder.h"

struct cli_options;
struct config;
struct guard;
struct order_peek;

struct order_store {
    struct config *config;
    struct guard *guard;
    unsigned wait_s; /* for the lock */
    char *root;      /* of the orders, links resolved; NULL unless locked */
    int lock;
    struct order_folder folder; /* as it was when it was locked */
};

/* Reads the configuration and the guard. False, and the store empty, if that fails. */
bool order_store_open(struct order_store *store, const struct cli_options *options);
void order_store_close(struct order_store *store);

/* Waits until no other command holds the folder (order_lock.h), holds it and looks what lies in it.
 */
bool order_store_lock(struct order_store *store);
void order_store_unlock(struct order_store *store);

/* One order's file, as read under the lock. */
struct order_draft {
    char *name;       /* for people: the orders folder as configured and the path below it */
    const char *path; /* below the orders folder; within name */
    struct order_folder_scope scope;
    struct file_replace file;
    struct order_peek *peek;
    enum order_status status;
};

/* Finds the file with this id. False if there is none, or more than one. */
bool order_store_find(const struct order_store *store, const char *id, struct order_draft *out);

/* Reads the file of one entry of the folder. */
bool order_store_read(const struct order_store *store, const struct order_folder_entry *entry,
                      struct order_draft *out);
void order_draft_fini(struct order_draft *draft);

/* Is this id that of any order file? true as well if a file cannot be read and may have it. */
bool order_store_has(const struct order_store *store, const char *id);

/* The order that these bytes are, judged as the daemon would; problems may hold warnings. */
struct order *order_store_judge(const struct order_store *store, const struct order_draft *draft,
                                const struct file_bytes *bytes, struct problem_list *problems);

/* The same, with this function to open the lists. */
#define ORDER_STORE_SEED 0 /* of the maps of an order that is judged */
struct order_store_lists {
    order_file_list_fn *open;
    void *ctx;
};
struct order *order_store_judge_lists(const struct order_store *store,
                                      const struct order_draft *draft,
                                      const struct file_bytes *bytes,
                                      const struct order_store_lists *lists,
                                      struct problem_list *problems);

/* An order_file_list_fn: whatever the list holds, the order that names it is judged by the rest. */
struct name_list *order_store_any_list(void *ctx, const struct name_list_options *options,
                                       uint8_t sha256[static FILE_BYTES_SHA256],
                                       struct problem_list *problems);

/* Makes the next version of the file, and judges it. NULL, with errors in problems and *next empty
 * unless it is a text at all, if there is no such version or it is no valid order. */
struct order *order_store_next(const struct order_store *store, const struct order_draft *draft,
                               const struct order_edit *edit, struct file_bytes *next,
                               struct problem_list *problems);

/* Puts the next version in place; false, with an error in problems, if nothing was written. */
bool order_store_put(const struct order_draft *draft, const struct file_bytes *next,
                     struct problem_list *problems);

/* Both: unless the next version is a valid order nothing is written. */
bool order_store_write(const struct order_store *store, const struct order_draft *draft,
                       const struct order_edit *edit, struct problem_list *problems);

/* Who does it and when, for the history. */
struct order_author {
    char by[200];
    char at[INSTANT_TEXT_MAX];
};
void order_author_init(struct order_author *author, const struct cli_options *options);
