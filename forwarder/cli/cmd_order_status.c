/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick order suspend`, `lift` and `resume`. What may follow what, as a clerk of a court would
 * have it: an order that is lifted is closed, and a new decision needs a new order; what stands
 * already as asked stays, without an entry.
 *
 *   from        suspend     lift      resume
 *   active      suspended   lifted    -
 *   suspended   -           lifted    active
 *   lifted      refused     -         refused
 *
 * With --all every order in the folder of a country is changed, each for itself: one that cannot be
 * does not hold up the others. Orders of other folders bind other countries too, and are only
 * named. What was suspended by itself is not resumed with all.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/cmd_order.h"
#include "forwarder/cli/order_reload.h"
#include "forwarder/cli/order_store.h"
#include "forwarder/explain/problem_report.h"
#include "policy/order_file.h"
#include "policy/order_peek.h"

#define WHAT_MAX 40
#define SUSPEND_ALL "suspend all of "

/* One of the three commands. */
struct status_change {
    const char *name;
    const char *done; /* what an order is then */
    enum order_status to;
};

/* One run of it. */
struct status_run {
    const struct status_change *change;
    const struct cli_options *options;
    struct order_store store;
    struct order_folder_scope scope; /* with --all */
    char **files;                    /* that were written */
    size_t count;
    bool failed;
};

enum fate {
    FATE_CHANGE,
    FATE_STAYS, /* as asked already */
    FATE_CLOSED,
};

static enum fate fate_of(enum order_status from, enum order_status to)
{
    if (from == to) {
        return FATE_STAYS;
    }
    return from == ORDER_LIFTED ? FATE_CLOSED : FATE_CHANGE;
}

static const char *country_of(const struct status_run *run)
{
    return run->options->value[CLI_OPTION_COUNTRY];
}

/* ---- One order ---- */

static void write_status(struct status_run *run, struct order_draft *draft)
{
    char what[WHAT_MAX];
    struct problem_list problems;
    struct order_author author;
    bool all = cli_options_has(run->options, CLI_OPTION_ALL);
    order_author_init(&author, run->options);
    snprintf(what, sizeof what, "%s%s%s", run->change->name, all ? " all of " : "",
             all ? country_of(run) : "");
    const struct order_edit edit = {
        .status = order_status_name(run->change->to),
        .entry = {author.at, author.by, what, run->options->value[CLI_OPTION_REASON]},
    };
    problem_list_init(&problems);
    if (order_store_write(&run->store, draft, &edit, &problems)) {
        printf("%s: %s\n", order_peek_id(draft->peek), run->change->done);
        run->files[run->count++] = draft->name;
        draft->name = NULL;
    } else {
        problem_report(&problems, stderr);
        cli_output_error("%s is left as it was", draft->name);
        run->failed = true;
    }
    problem_list_fini(&problems);
}

static void change_order(struct status_run *run, struct order_draft *draft)
{
    const char *id = order_peek_id(draft->peek);
    switch (fate_of(draft->status, run->change->to)) {
    case FATE_CHANGE:
        write_status(run, draft);
        break;
    case FATE_STAYS:
        printf("%s: %s already\n", id, run->change->done);
        break;
    case FATE_CLOSED:
        cli_output_error("%s is lifted, and closed: a new decision needs a new order", id);
        run->failed = true;
        break;
    }
}

static void run_one(struct status_run *run)
{
    struct order_draft draft;
    if (order_store_find(&run->store, run->options->operands[0], &draft)) {
        change_order(run, &draft);
    } else {
        run->failed = true;
    }
    order_draft_fini(&draft);
}

/* ---- All of a country ---- */

/* Was it suspended together with all of this country, and not by itself? */
static bool suspended_with_all(const struct status_run *run, const struct order_draft *draft)
{
    const char *what = order_peek_newest(draft->peek, "what");
    return strncmp(what, SUSPEND_ALL, strlen(SUSPEND_ALL)) == 0 &&
           strcmp(what + strlen(SUSPEND_ALL), country_of(run)) == 0;
}

static void change_one_of_all(struct status_run *run, struct order_draft *draft)
{
    const char *id = order_peek_id(draft->peek);
    if (fate_of(draft->status, run->change->to) == FATE_CLOSED) {
        printf("%s: stays lifted\n", id); /* it binds nobody */
        return;
    }
    if (run->change->to == ORDER_ACTIVE && draft->status == ORDER_SUSPENDED &&
        !suspended_with_all(run, draft)) {
        printf("%s: stays suspended: it was not suspended with all of %s\n", id, country_of(run));
        return;
    }
    change_order(run, draft);
}

/* Names an order of another folder that binds clients of the country. */
static void name_other(const struct status_run *run, const struct order_draft *draft)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct order *order = order_store_judge(&run->store, draft, &draft->file.file, &problems);
    problem_list_fini(&problems);
    if (order != NULL && !run->scope.is_group && order->status == ORDER_ACTIVE &&
        order_folder_scope_touched(&run->scope, &order->scope, (int64_t)time(NULL))) {
        cli_output_error("%s binds clients in %s too and is not changed: it lies in another "
                         "folder; name it by its id",
                         order->id, country_of(run));
    }
    order_unref(order);
}

static void run_all(struct status_run *run)
{
    bool any = false;
    for (size_t i = 0; i < run->store.folder.count; i++) {
        const struct order_folder_entry *entry = &run->store.folder.entries[i];
        struct order_draft draft;
        bool ours = order_folder_scope_equal(&entry->scope, &run->scope);
        if (!entry->is_order) {
            continue;
        }
        any = any || ours;
        if (!order_store_read(&run->store, entry, &draft)) {
            run->failed = run->failed || ours;
        } else if (ours) {
            change_one_of_all(run, &draft);
        } else if (run->change->to != ORDER_ACTIVE) {
            name_other(run, &draft);
        }
        order_draft_fini(&draft);
    }
    if (!any) {
        /* In an emergency nobody may take a slip of the code for a thing done. */
        cli_output_error("no order lies in the folder of %s", country_of(run));
        run->failed = true;
    }
}

/* ---- The commands ---- */

static bool run_locked(struct status_run *run)
{
    if (!order_store_lock(&run->store)) {
        return false;
    }
    run->files = calloc(run->store.folder.count + 1, sizeof *run->files);
    if (run->files == NULL) {
        cli_output_error("out of memory");
        run->failed = true;
    } else if (cli_options_has(run->options, CLI_OPTION_ALL)) {
        run_all(run);
    } else {
        run_one(run);
    }
    order_store_unlock(&run->store);
    fflush(stdout);
    return true;
}

static const char *find_misuse(struct status_run *run, char why[static WHY_MAX])
{
    bool all = cli_options_has(run->options, CLI_OPTION_ALL);
    if (all != (country_of(run) != NULL) || all == (run->options->operand_count > 0)) {
        return "it takes either an ID, or --all with --country CC";
    }
    return !all || order_folder_scope_parse(country_of(run), &run->scope, why) ? NULL : why;
}

static enum command_exit change_status(const struct cli_options *options,
                                       const struct status_change *change)
{
    char why[WHY_MAX];
    struct status_run run = {.change = change, .options = options};
    int64_t since = (int64_t)time(NULL);
    const char *misuse = find_misuse(&run, why);
    if (misuse != NULL) {
        cli_output_error("order %s: %s; see 'bailiwick help order %s'", change->name, misuse,
                         change->name);
        return COMMAND_MISUSED;
    }
    if (!order_store_open(&run.store, options)) {
        return COMMAND_FAILED;
    }
    bool done = run_locked(&run) &&
                (run.count == 0 || order_reload(run.store.config, run.files, run.count, since));
    for (size_t i = 0; i < run.count; i++) {
        free(run.files[i]);
    }
    free(run.files);
    order_store_close(&run.store);
    return done && !run.failed ? COMMAND_DONE : COMMAND_FAILED;
}

enum command_exit cmd_order_suspend(const struct cli_options *options)
{
    static const struct status_change change = {"suspend", "suspended", ORDER_SUSPENDED};
    return change_status(options, &change);
}

enum command_exit cmd_order_lift(const struct cli_options *options)
{
    static const struct status_change change = {"lift", "lifted", ORDER_LIFTED};
    return change_status(options, &change);
}

enum command_exit cmd_order_resume(const struct cli_options *options)
{
    static const struct status_change change = {"resume", "active", ORDER_ACTIVE};
    return change_status(options, &change);
}
