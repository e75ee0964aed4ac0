/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick status`: what the running daemon says of itself. Its object is shown as it comes with
 * --json; the text for people is made here, and what the object lacks reads as "-".
 */
#include <stdio.h>
#include <string.h>

#include "forwarder/cli/cli_daemon.h"
#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/cli_table.h"
#include "forwarder/cli/command.h"
#include "forwarder/explain/problem_report.h"
#include "geo/problem.h"

#define CELL_MAX 24

/* A value as text; a number is written into number. */
static const char *value_text(const json_t *value, char number[static CELL_MAX])
{
    if (json_is_string(value)) {
        return json_string_value(value);
    }
    if (json_is_integer(value)) {
        snprintf(number, CELL_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return number;
    }
    return "-";
}

static void add(struct cli_table *table, const json_t *object, const char *key)
{
    char number[CELL_MAX];
    cli_table_add(table, value_text(json_object_get(object, key), number));
}

static void add_summary(struct cli_table *table, const json_t *status)
{
    static const struct {
        const char *label;
        const char *part; /* an object within the status; NULL: the status */
        const char *key;
    } rows[] = {
        {"version", NULL, "version"},
        {"started", NULL, "started"},
        {"workers", NULL, "workers"},
        {"generation", NULL, "generation"},
        {"loaded", NULL, "loaded"},
        {"edits noticed", NULL, "watch"},
        {"orders", NULL, "orders"},
        {"orders in force", NULL, "orders_in_force"},
        {"names", NULL, "names"},
        {"database", "geo", "database"},
        {"database built", "geo", "build"},
        {"overrides", "geo", "overrides"},
        {"queries", NULL, "queries"},
        {"forwarded", NULL, "forwarded"},
        {"blocked", NULL, "blocked"},
        {"blocked by answers", NULL, "blocked_answers"},
        {"unreadable answers", NULL, "answers_unreadable"},
        {"would block (shadow)", NULL, "would_block"},
        {"answered", NULL, "answered"},
        {"servfail", NULL, "servfail"},
        {"formerr", NULL, "formerr"},
        {"dropped", NULL, "dropped"},
        {"dropped by the kernel", NULL, "receive_drops"},
        {"dropped by limits", NULL, "rate_limited_dropped"},
        {"truncated by limits", NULL, "rate_limited_slipped"},
        {"queries over limits", NULL, "rate_limited_queries"},
        {"dnstap written", NULL, "dnstap_written"},
        {"dnstap lost", NULL, "dnstap_lost"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const json_t *part = rows[i].part == NULL ? status : json_object_get(status, rows[i].part);
        cli_table_add(table, rows[i].label);
        add(table, part, rows[i].key);
    }
}

static void add_upstreams(struct cli_table *table, const json_t *status)
{
    size_t index;
    const json_t *upstream;
    json_array_foreach(json_object_get(status, "upstreams"), index, upstream)
    {
        add(table, upstream, "address");
        cli_table_add(table, cli_daemon_upstream_state(upstream));
        add(table, upstream, "outstanding");
    }
}

static void add_listeners(struct cli_table *table, const json_t *status)
{
    size_t index;
    const json_t *listener;
    json_array_foreach(json_object_get(status, "listeners"), index, listener)
    {
        add(table, listener, "address");
        add(table, listener, "transport");
        add(table, listener, "receive_buffer");
        add(table, listener, "waiting");
        add(table, listener, "drops");
    }
}

static void add_by_order(struct cli_table *table, const json_t *status)
{
    const char *id;
    const json_t *count;
    json_object_foreach((json_t *)json_object_get(status, "by_order"), id, count)
    {
        char number[CELL_MAX];
        cli_table_add(table, id);
        cli_table_add(table, value_text(count, number));
    }
}

static void add_by_country(struct cli_table *table, const json_t *status)
{
    const char *code;
    const json_t *counts;
    json_object_foreach((json_t *)json_object_get(status, "by_country"), code, counts)
    {
        cli_table_add(table, code);
        add(table, counts, "queries");
        add(table, counts, "blocked");
    }
}

/* The tables of the text, each with its heading and, if it needs them, the heads of its columns. */
static const struct section {
    const char *heading;
    const char *heads[5];
    size_t columns;
    void (*add)(struct cli_table *table, const json_t *status);
} sections[] = {
    {"Daemon", {NULL}, 2, add_summary},
    {"Listeners", {"ADDRESS", "TRANSPORT", "BUFFER", "WAITING", "DROPPED"}, 5, add_listeners},
    {"Upstreams", {"ADDRESS", "STATE", "OUTSTANDING"}, 3, add_upstreams},
    {"Blocked by order", {"ORDER", "QUERIES"}, 2, add_by_order},
    {"By country", {"COUNTRY", "QUERIES", "BLOCKED"}, 3, add_by_country},
};

/* Shows a section that has anything to show. */
static bool show_section(const struct section *section, const json_t *status)
{
    struct cli_table table;
    cli_table_init(&table, section->columns);
    for (size_t i = 0; i < section->columns && section->heads[i] != NULL; i++) {
        cli_table_add(&table, section->heads[i]);
    }
    size_t heads = table.count;
    section->add(&table, status);
    bool whole = !table.failed;
    if (whole && table.count > heads) {
        printf("%s\n", section->heading);
        whole = cli_table_print(&table, "  ", stdout);
    }
    cli_table_fini(&table);
    return whole;
}

static void show_problems(const json_t *status)
{
    struct problem_list problems;
    problem_list_init(&problems);
    cli_daemon_problems(status, &problems);
    if (problems.count > 0) {
        puts("Problems");
        problem_report(&problems, stdout);
    }
    problem_list_fini(&problems);
}

static bool show(const json_t *status)
{
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        if (!show_section(&sections[i], status)) {
            cli_output_error("out of memory");
            return false;
        }
    }
    show_problems(status);
    return true;
}

enum command_exit cmd_status(const struct cli_options *options)
{
    json_t *status = cli_daemon_tell(options, json_pack("{s:s}", "command", "status"));
    if (status == NULL) {
        return COMMAND_FAILED;
    }
    bool shown = cli_options_has(options, CLI_OPTION_JSON) ? cli_output_json(status) : show(status);
    json_decref(status);
    return shown ? COMMAND_DONE : COMMAND_FAILED;
}
