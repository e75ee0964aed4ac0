/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick audit show`: was an order in force at a time, and what became of it; or all that the
 * record tells.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "forwarder/cli/audit_answer.h"
#include "forwarder/cli/audit_listing.h"
#include "forwarder/cli/audit_text.h"
#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/cli_table.h"
#include "forwarder/cli/cmd_audit.h"
#include "forwarder/explain/json_put.h"
#include "forwarder/explain/plain_text.h"
#include "policy/instant.h"

static void print_scope(const json_t *answer)
{
    size_t index;
    const json_t *code;
    printf("  countries  ");
    json_array_foreach(json_object_get(answer, "scope"), index, code)
    {
        char text[AUDIT_TEXT_MAX];
        printf("%s%s", index == 0 ? "" : ", ",
               plain_text(json_string_value(code), text, sizeof text));
    }
    puts(json_is_true(json_object_get(answer, "include_unknown")) ? ", unknown countries" : "");
}

static void print_lists(const json_t *answer)
{
    size_t index;
    const json_t *list;
    json_array_foreach(json_object_get(answer, "lists"), index, list)
    {
        char file[AUDIT_TEXT_MAX], sha256[AUDIT_TEXT_MAX];
        printf("  list       %s, SHA-256 %s\n", audit_text_plain(list, "file", "?", file),
               audit_text_plain(list, "sha256", "?", sha256));
    }
}

/* Names with dates of their own, a line each. */
static void print_items(const json_t *answer)
{
    size_t i, j;
    const json_t *item, *name;
    if (json_is_null(json_object_get(answer, "items"))) {
        puts("  items      too many have dates of their own to be in the record");
    }
    json_array_foreach(json_object_get(answer, "items"), i, item)
    {
        char from[AUDIT_TEXT_MAX], to[AUDIT_TEXT_MAX], text[AUDIT_TEXT_MAX];
        const json_t *in_force = json_object_get(item, "in_force");
        audit_text_plain(item, "effective", "the order's beginning", from);
        audit_text_plain(item, "until", "the order's end", to);
        json_array_foreach(json_object_get(item, "names"), j, name)
        {
            printf("  item       %s: %s, from %s to %s\n",
                   plain_text(json_string_value(name), text, sizeof text),
                   json_is_true(in_force)    ? "in force"
                   : json_is_false(in_force) ? "not in force"
                                             : "not known",
                   from, to);
        }
    }
}

static void print_version(const json_t *answer)
{
    char text[AUDIT_TEXT_MAX];
    printf("  status     %s\n", audit_text_plain(answer, "status", "?", text));
    if (json_is_true(json_object_get(answer, "last_good"))) {
        puts("  kept       the last good version: its file had an error");
    }
    print_scope(answer);
    printf("  action     %s\n", audit_text_plain(answer, "action", "?", text));
    printf("  file       %s\n", audit_text_plain(answer, "file", "?", text));
    printf("  SHA-256    %s\n", audit_text_plain(answer, "sha256", "?", text));
    print_lists(answer);
    printf("  effective  %s\n",
           audit_text_plain(answer, "effective", "as soon as it was loaded", text));
    printf("  ends       %s\n", audit_text_plain(answer, "end", "never", text));
    print_items(answer);
    printf("  loaded     %s\n", audit_text_plain(answer, "version_since", "?", text));
    printf("  asked by   %s\n", audit_text_askers(json_object_get(answer, "asked"), text));
}

static void print_doubts(const json_t *answer)
{
    size_t index;
    const json_t *doubt;
    json_array_foreach(json_object_get(answer, "uncertain"), index, doubt)
    {
        char from[AUDIT_TEXT_MAX], to[AUDIT_TEXT_MAX], why[AUDIT_TEXT_MAX];
        if (json_is_string(doubt)) {
            printf("  UNCERTAIN: %s\n", json_string_value(doubt));
        } else {
            printf("  UNCERTAIN: %s (%s to %s)\n", audit_text_plain(doubt, "why", "?", why),
                   audit_text_plain(doubt, "from", "?", from),
                   audit_text_plain(doubt, "to", "the end", to));
        }
    }
}

static void print_answer(const json_t *answer)
{
    char order[AUDIT_TEXT_MAX], time[AUDIT_TEXT_MAX], why[AUDIT_TEXT_MAX], from[AUDIT_TEXT_MAX],
        to[AUDIT_TEXT_MAX];
    const json_t *in_force = json_object_get(answer, "in_force");
    const char *verdict = json_is_true(in_force)    ? "in force"
                          : json_is_false(in_force) ? "not in force"
                                                    : "not known";
    bool reason = json_is_string(json_object_get(answer, "why"));
    printf("%s at %s: %s%s%s\n", audit_text_plain(answer, "order", "?", order),
           audit_text_plain(answer, "time", "?", time), verdict, reason ? ", " : "",
           reason ? audit_text_plain(answer, "why", "", why) : "");
    printf("  from       %s\n", audit_text_plain(answer, "from", "before the record", from));
    printf("  to         %s\n", audit_text_plain(answer, "to", "the end of the record", to));
    if (json_is_string(json_object_get(answer, "sha256"))) {
        print_version(answer);
    }
    print_doubts(answer);
    printf("  the record ends at %s\n", audit_text_plain(answer, "record_ends", "?", to));
}

static bool show_at(const struct audit_history *history, int64_t instant, bool json)
{
    json_t *answer = audit_answer_json(history, instant, (int64_t)time(NULL));
    bool shown = true;
    if (json || answer == NULL) {
        shown = cli_output_json(answer);
    } else {
        print_answer(answer);
    }
    json_decref(answer);
    return shown;
}

static bool show_notes_json(const struct audit_history *history)
{
    bool shown = true;
    for (size_t i = 0; shown && i < history->note_count; i++) {
        const struct audit_note *note = &history->notes[i];
        json_t *object = json_object();
        json_put_instant(&object, "time", note->time);
        json_put(&object, "seq", json_integer((json_int_t)note->seq));
        json_put_text(&object, "event", note->what);
        json_put(&object, "order", note->order == NULL ? json_null() : json_incref(note->order));
        json_put(&object, "asked", note->asked == NULL ? json_null() : json_incref(note->asked));
        shown = cli_output_json(object);
        json_decref(object);
    }
    return shown;
}

static bool show_notes(const struct audit_history *history)
{
    static const char *const heads[] = {"TIME", "RECORD", "EVENT", "STATUS", "ASKED BY", "SHA-256"};
    struct cli_table table;
    cli_table_init(&table, sizeof heads / sizeof heads[0]);
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        cli_table_add(&table, heads[i]);
    }
    for (size_t i = 0; i < history->note_count; i++) {
        const struct audit_note *note = &history->notes[i];
        char text[AUDIT_TEXT_MAX];
        cli_table_add(&table, instant_format(note->time, text));
        snprintf(text, sizeof text, "%llu", (unsigned long long)note->seq);
        cli_table_add(&table, text);
        cli_table_add(&table, note->what);
        cli_table_add(&table, audit_text_plain(note->order, "status", "-", text));
        cli_table_add(&table, audit_text_askers(note->asked, text));
        cli_table_add(&table, audit_text_plain(note->order, "sha256", "-", text));
    }
    bool whole = cli_table_print(&table, "", stdout);
    if (!whole) {
        cli_output_error("out of memory");
    }
    cli_table_fini(&table);
    return whole;
}

static bool show(const struct audit_history *history, const struct cli_options *options,
                 const int64_t *instant)
{
    bool json = cli_options_has(options, CLI_OPTION_JSON);
    if (!history->seen) {
        cli_output_error("the record knows no order %s", history->id);
        return false;
    }
    if (history->faults > 0) {
        cli_output_error("the record is not as it was written: see bailiwick audit verify");
    }
    bool shown = instant != NULL ? show_at(history, *instant, json)
                 : json          ? show_notes_json(history)
                                 : show_notes(history);
    return shown && history->faults == 0;
}

static enum command_exit show_order(const struct audit_files *files,
                                    const struct cli_options *options, const int64_t *instant)
{
    struct audit_history history;
    char why[WHY_MAX];
    if (!audit_history_read(files, options->value[CLI_OPTION_ORDER], &history, why)) {
        cli_output_error("%s", why);
        return COMMAND_FAILED;
    }
    bool shown = show(&history, options, instant);
    audit_history_fini(&history);
    return shown ? COMMAND_DONE : COMMAND_FAILED;
}

enum command_exit cmd_audit_show(const struct cli_options *options)
{
    int64_t instant;
    const char *at = options->value[CLI_OPTION_AT];
    bool order = cli_options_has(options, CLI_OPTION_ORDER);
    if (at != NULL && !cmd_audit_instant("at", at, &instant)) {
        return COMMAND_MISUSED;
    }
    if (at != NULL && !order) {
        cli_output_usage("audit", "--at goes with --order");
        return COMMAND_MISUSED;
    }
    struct audit_files files;
    enum command_exit status = COMMAND_FAILED;
    char **folders = cmd_audit_folders(options);
    if (folders != NULL && cmd_audit_files(folders, &files)) {
        if (order) {
            status = show_order(&files, options, at == NULL ? NULL : &instant);
        } else if (audit_listing_print(&files, cli_options_has(options, CLI_OPTION_JSON))) {
            status = COMMAND_DONE;
        }
        audit_files_fini(&files);
    }
    cmd_audit_folders_free(folders);
    return status;
}
