/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick orders`: what is ordered, where, and whether it is in force.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/cli_set.h"
#include "forwarder/cli/cli_table.h"
#include "forwarder/cli/command.h"
#include "forwarder/explain/order_summary.h"
#include "forwarder/explain/scope_codes.h"
#include "policy/instant.h"
#include "policy/order_folder_scope.h"
#include "policy/order_window.h"
#include "policy/policy.h"

#define LAST_GOOD " (the last good version; the file on disk has an error)"

/* Which of the orders to show, and as of when. */
struct selection {
    const struct generation *generation;
    bool by_place;
    struct order_folder_scope place;
    int64_t now;
};

static bool is_selected(const struct selection *selection, size_t index)
{
    const struct order *order = policy_order(selection->generation->policy, index);
    return !selection->by_place ||
           order_folder_scope_touched(&selection->place, &order->scope, selection->now);
}

static bool show_json(const struct selection *selection)
{
    bool written = true;
    size_t count = policy_order_count(selection->generation->policy);
    for (size_t i = 0; written && i < count; i++) {
        if (is_selected(selection, i)) {
            json_t *object = order_summary_json(selection->generation, i, selection->now);
            written = cli_output_json(object);
            json_decref(object);
        }
    }
    return written;
}

static void add_scope(struct cli_table *table, const struct order_scope *scope)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        table->failed = true;
        return;
    }
    scope_codes_print(scope, out);
    bool whole = fclose(out) == 0;
    cli_table_add(table, whole ? text : "");
    free(text);
}

/* "yes, since … until …", "no, from …", "no, ended …", "no, its window opens …", "no". */
static void add_in_force(struct cli_table *table, const struct order *order, int64_t now)
{
    char text[96];
    char effective[INSTANT_TEXT_MAX];
    char end[INSTANT_TEXT_MAX];
    bool begins = order->effective != ORDER_ALWAYS;
    bool ends = order->end != ORDER_FOR_GOOD;
    instant_format(begins ? order->effective : 0, effective);
    instant_format(ends ? order->end : 0, end);
    if (policy_order_in_force(order, now)) {
        snprintf(text, sizeof text, "yes%s%s%s%s%s", begins || ends ? "," : "",
                 begins ? " since " : "", begins ? effective : "", ends ? " until " : "",
                 ends ? end : "");
    } else if (order->status != ORDER_ACTIVE) {
        snprintf(text, sizeof text, "no");
    } else if (now < order->effective) {
        snprintf(text, sizeof text, "no, from %s", effective);
    } else if (now >= order->end) {
        snprintf(text, sizeof text, "no, ended %s", end);
    } else {
        instant_format(order_window_until(order, now), end);
        snprintf(text, sizeof text, "no, its window opens %s", end);
    }
    cli_table_add(table, text);
}

static void add_file(struct cli_table *table, const struct generation_order *version)
{
    char text[PATH_MAX + sizeof LAST_GOOD];
    snprintf(text, sizeof text, "%s%s", version->path, version->last_good ? LAST_GOOD : "");
    cli_table_add(table, text);
}

static void add_order(struct cli_table *table, const struct selection *selection, size_t index)
{
    char names[24];
    const struct order *order = policy_order(selection->generation->policy, index);
    snprintf(names, sizeof names, "%zu", order_summary_names(order));
    cli_table_add(table, order->id);
    add_scope(table, &order->scope);
    cli_table_add(table, order_action_name(order->action));
    cli_table_add(table, order_status_name(order->status));
    add_in_force(table, order, selection->now);
    cli_table_add(table, names);
    add_file(table, &selection->generation->orders[index]);
}

static bool show_table(const struct selection *selection)
{
    static const char *const heads[] = {"ORDER",    "SCOPE", "ACTION", "STATUS",
                                        "IN FORCE", "NAMES", "FILE"};
    struct cli_table table;
    cli_table_init(&table, sizeof heads / sizeof heads[0]);
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        cli_table_add(&table, heads[i]);
    }
    for (size_t i = 0; i < policy_order_count(selection->generation->policy); i++) {
        if (is_selected(selection, i)) {
            add_order(&table, selection, i);
        }
    }
    bool whole = cli_table_print(&table, "", stdout);
    if (!whole) {
        cli_output_error("out of memory");
    }
    cli_table_fini(&table);
    return whole;
}

enum command_exit cmd_orders(const struct cli_options *options)
{
    struct cli_set set;
    struct selection selection = {.now = (int64_t)time(NULL)};
    const char *code = options->value[CLI_OPTION_COUNTRY];
    char why[WHY_MAX];
    selection.by_place = code != NULL;
    if (code != NULL &&
        (!order_folder_scope_parse(code, &selection.place, why) || selection.place.is_group)) {
        cli_output_usage("orders", "--country takes two capitals of ISO 3166-1, such as IT, or a "
                                   "subdivision of ISO 3166-2, such as US-CA");
        return COMMAND_MISUSED;
    }
    if (!cli_set_load(&set, cli_options_config(options), selection.now, selection.now)) {
        return COMMAND_FAILED;
    }
    selection.generation = set.generation;
    bool shown =
        cli_options_has(options, CLI_OPTION_JSON) ? show_json(&selection) : show_table(&selection);
    cli_set_free(&set);
    return shown ? COMMAND_DONE : COMMAND_FAILED;
}
