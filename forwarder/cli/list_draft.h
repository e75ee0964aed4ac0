/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A list of an order, in the hands of an operator: names are added at its end, every octet that is
 * there is kept, and the order's file tells of it in its history. Only lists of format names that
 * are not packed and that one order names, once: what is added to another would reach further than
 * the order it is meant for.
 *
 * Two files are replaced, the order's first. What a crash between them leaves is a line of history
 * about names that are not there yet; the next run adds them, and says so in a line of its own. No
 * name is ever blocked that the history does not tell of.
 */
#pragma once

#include "forwarder/cli/order_blame.h"
#include "forwarder/cli/order_store.h"

struct list_draft {
    const struct order_store *store; /* these are borrowed */
    const struct order_draft *draft;
    const char *written; /* its path, as the order names it; borrowed */
    char *name;          /* as the daemon calls it; owned */
    struct file_replace file;
    struct file_bytes next;  /* the version with the names added */
    struct name_list *names; /* as it is now; NULL: the daemon would refuse it */

    /* What is being judged. */
    const struct order_edit_item *items;
    size_t count;
    order_blame_fn *blame;
    void *ctx;
    size_t blamed;
    bool found; /* does the order name it, and as one of names? */
};

/* Reads the file of a list that the order of draft names so. False, with an error in problems, and
 * *out empty. */
bool list_draft_open(const struct order_store *store, const struct order_draft *draft,
                     const char *written, struct list_draft *out, struct problem_list *problems);
void list_draft_fini(struct list_draft *list);

/* The order as it is, and in list->names what the list holds. NULL with an error in problems, also
 * if the order does not name the list as one of format names. */
struct order *list_draft_judge(struct list_draft *list, struct problem_list *problems);

/* What is to be added: names alone, without dates. */
struct list_draft_addition {
    const struct order_edit_item *items;
    size_t count;
    order_blame_fn *blame; /* called with each item that the daemon would refuse, and why */
    void *ctx;
    struct order_edit_entry entry;
};

/* Makes the next version of both files, and judges them as the daemon would; *next is that of the
 * order. NULL if there is none: items were blamed (list->blamed of them), or errors are in
 * problems. */
struct order *list_draft_next(struct list_draft *list, const struct list_draft_addition *addition,
                              struct file_bytes *next, struct problem_list *problems);

/* Puts both in place. False, with errors in problems: neither is, or an error says what is. */
bool list_draft_put(const struct list_draft *list, const struct order_draft *draft,
                    const struct file_bytes *next, struct problem_list *problems);
