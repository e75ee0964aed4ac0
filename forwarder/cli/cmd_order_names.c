/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick order add` and `bailiwick order remove`: the names of an order, later domains of the
 * same sites above all.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/cmd_order.h"
#include "forwarder/cli/order_reload.h"
#include "forwarder/cli/order_store.h"
#include "forwarder/cli/order_words.h"
#include "forwarder/explain/problem_report.h"
#include "policy/order_peek.h"

/* One run of either command. */
struct change {
    const struct cli_options *options;
    bool adds;
    struct order_store store;
    struct order_draft draft;
    struct order_edit_item *items; /* as given; then those that make a difference in front */
    bool *held;                    /* of items as given: is it in the order already? */
    size_t count;
};

/* Writes the items that make a difference. */
static bool write_items(struct change *change, const struct order_edit_item *items, size_t count)
{
    char what[ORDER_WORDS_WHAT_MAX];
    struct problem_list problems;
    struct order_author author;
    order_author_init(&author, change->options);
    order_words_what(change->adds ? "add" : "remove", items, count, what);
    const struct order_edit edit = {
        .add = change->adds ? items : NULL,
        .add_count = change->adds ? count : 0,
        .remove = change->adds ? NULL : items,
        .remove_count = change->adds ? 0 : count,
        .entry = {author.at, author.by, what, change->options->value[CLI_OPTION_REASON]},
    };
    problem_list_init(&problems);
    bool done = order_store_write(&change->store, &change->draft, &edit, &problems);
    if (!done) {
        problem_report(&problems, stderr);
        cli_output_error("%s is left as it was", change->draft.name);
    }
    problem_list_fini(&problems);
    return done;
}

/* A name given twice counts once. */
static bool given_before(const struct change *change, size_t index)
{
    const struct order_edit_item *item = &change->items[index];
    for (size_t i = 0; i < index; i++) {
        if (change->items[i].kind == item->kind &&
            dname_equal(&change->items[i].name, &item->name)) {
            return true;
        }
    }
    return false;
}

/* Edits the file under the lock. Returns how many items made a difference; -1: it failed. */
static int edit(struct change *change)
{
    struct order_edit_item *chosen = calloc(change->count + 1, sizeof *chosen);
    size_t count = 0;
    int result = -1;
    if (chosen == NULL ||
        !order_peek_held(change->draft.peek, change->items, change->count, change->held)) {
        cli_output_error("out of memory");
    } else if (change->draft.status == ORDER_LIFTED) {
        cli_output_error("%s is lifted, and closed: a new decision needs a new order",
                         order_peek_id(change->draft.peek));
    } else {
        for (size_t i = 0; i < change->count; i++) {
            if (change->held[i] != change->adds && !given_before(change, i)) {
                chosen[count++] = change->items[i];
            }
        }
        bool done = count == 0 || write_items(change, chosen, count);
        result = done ? (int)count : -1;
    }
    free(chosen);
    return result;
}

static void print_results(const struct change *change)
{
    static const char *const results[2][2] = {{"not in the order", "removed"},
                                              {"added", "already in the order"}};
    for (size_t i = 0; i < change->count; i++) {
        const struct order_edit_item *item = &change->items[i];
        printf("%s%s: %s\n", order_words_sign(item->kind), item->text,
               results[change->adds][change->held[i]]);
    }
    fflush(stdout);
}

/* Is anything that was to be removed not there? Most likely it is misspelt, and still blocked. */
static bool missed(const struct change *change)
{
    for (size_t i = 0; !change->adds && i < change->count; i++) {
        if (!change->held[i]) {
            return true;
        }
    }
    return false;
}

static enum command_exit run(struct change *change)
{
    int64_t since = (int64_t)time(NULL);
    int changed = -1;
    if (!order_store_lock(&change->store)) {
        return COMMAND_FAILED;
    }
    if (order_store_find(&change->store, change->options->operands[0], &change->draft)) {
        changed = edit(change);
    }
    order_store_unlock(&change->store);
    if (changed < 0) {
        return COMMAND_FAILED;
    }
    print_results(change);
    bool in_force =
        changed == 0 || order_reload(change->store.config, &change->draft.name, 1, since);
    return in_force && !missed(change) ? COMMAND_DONE : COMMAND_FAILED;
}

static enum command_exit change_names(const struct cli_options *options, bool adds)
{
    struct change change = {
        .options = options, .adds = adds, .count = (size_t)options->operand_count - 1};
    enum command_exit status = COMMAND_FAILED;
    change.items = order_words_read(options->operands + 1, change.count);
    if (change.items == NULL) {
        return COMMAND_FAILED;
    }
    change.held = calloc(change.count + 1, sizeof *change.held);
    if (change.held == NULL) {
        cli_output_error("out of memory");
    } else if (order_store_open(&change.store, options)) {
        status = run(&change);
        order_draft_fini(&change.draft);
        order_store_close(&change.store);
    }
    free(change.held);
    free(change.items);
    return status;
}

enum command_exit cmd_order_add(const struct cli_options *options)
{
    return change_names(options, true);
}

enum command_exit cmd_order_remove(const struct cli_options *options)
{
    return change_names(options, false);
}
