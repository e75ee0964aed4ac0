/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick diff`: what a reload would change against what the running daemon has in force. Every
 * difference is an object first; the text for people is made from it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/command.h"
#include "forwarder/cli/diff_names.h"
#include "forwarder/cli/diff_sets.h"
#include "forwarder/explain/json_put.h"
#include "forwarder/explain/order_summary.h"
#include "forwarder/explain/plain_text.h"
#include "geo/problem.h"
#include "policy/policy.h"

#define TEXT_MAX 1024

/* What an order may differ in, beside its names. */
static const char *const fields[] = {
    "file",  "authority", "title",           "reference", "status",  "in_force", "effective",
    "until", "scope",     "include_unknown", "action",    "any_tld", "answers",
};

/* ---- One order ---- */

/* {"until":["2026-…","2027-…"]} */
static json_t *changed_fields(const json_t *before, const json_t *after)
{
    json_t *changed = json_object();
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        json_t *old = json_object_get(before, fields[i]), *new = json_object_get(after, fields[i]);
        if (old != NULL && new != NULL && !json_equal(old, new)) {
            json_put(&changed, fields[i], json_pack("[O, O]", old, new));
        }
    }
    return changed;
}

/* What is known of the names: which, or, with an old version that state does not hold, how many. */
static void put_names(json_t **object, const struct diff_sets *sets, const json_t *before,
                      const struct order *after)
{
    struct diff_names names;
    const struct order *kept = before == NULL ? NULL : diff_sets_kept_order(sets, before);
    json_put(object, "names_before",
             before == NULL ? json_integer(0) : json_incref(json_object_get(before, "names")));
    json_put(object, "names_after",
             json_integer(after == NULL ? 0 : (json_int_t)order_summary_names(after)));
    if (before != NULL && kept == NULL) {
        json_put(object, "names_added", json_null());
        json_put(object, "names_removed", json_null());
        return;
    }
    if (!diff_names_compare(kept, after, sets->seed, &names)) {
        json_put(object, "names_added", NULL);
        return;
    }
    json_put(object, "names_added", json_integer((json_int_t)names.added));
    json_put(object, "names_removed", json_integer((json_int_t)names.removed));
    json_put(object, "added", json_incref(names.added_shown));
    json_put(object, "removed", json_incref(names.removed_shown));
    diff_names_fini(&names);
}

/* The difference of an order, with what is told of each side; one of them may be NULL, and with it
 * the order. NULL when memory is out. */
static json_t *difference(const struct diff_sets *sets, const json_t *before, const json_t *after,
                          const struct order *order)
{
    const json_t *shown = after == NULL ? before : after;
    const char *change = before == NULL ? "new" : after == NULL ? "gone" : "changed";
    json_t *object = json_object();
    json_put_text(&object, "change", change);
    json_put_text(&object, "id", json_string_value(json_object_get(shown, "id")));
    json_put_text(&object, "file", json_string_value(json_object_get(shown, "file")));
    json_put_text(&object, "sha256", json_string_value(json_object_get(shown, "sha256")));
    json_put(&object, "in_force", json_incref(json_object_get(shown, "in_force")));
    json_put(&object, "scope", json_incref(json_object_get(shown, "scope")));
    if (before != NULL && after != NULL) {
        json_put(&object, "fields", changed_fields(before, after));
    }
    put_names(&object, sets, before, order);
    return object;
}

static const json_t *find_told(const json_t *orders, const char *id)
{
    size_t index;
    const json_t *order;
    json_array_foreach(orders, index, order)
    {
        const char *told = json_string_value(json_object_get(order, "id"));
        if (told != NULL && strcmp(told, id) == 0) {
            return order;
        }
    }
    return NULL;
}

/* Is there nothing to say? Lists count with their bytes. */
static bool is_same(const json_t *before, const json_t *after)
{
    return json_equal(json_object_get(before, "file"), json_object_get(after, "file")) &&
           json_equal(json_object_get(before, "sha256"), json_object_get(after, "sha256")) &&
           json_equal(json_object_get(before, "lists"), json_object_get(after, "lists")) &&
           json_equal(json_object_get(before, "scope"), json_object_get(after, "scope"));
}

/* ---- All orders ---- */

/* The codes of countries and groups that orders in force bind. */
static void add_codes(json_t *codes, const json_t *order)
{
    size_t index;
    json_t *code;
    if (!json_is_true(json_object_get(order, "in_force"))) {
        return;
    }
    json_array_foreach(json_object_get(order, "scope"), index, code)
    {
        json_object_set_new(codes, json_string_value(code), json_true());
    }
    if (json_is_true(json_object_get(order, "include_unknown"))) {
        json_object_set_new(codes, "unknown", json_true());
    }
}

static json_t *codes_without(json_t *codes, const json_t *others)
{
    const char *code;
    json_t *value, *left = json_array();
    json_object_foreach(codes, code, value)
    {
        if (json_object_get(others, code) == NULL) {
            json_array_append_new(left, json_string(code));
        }
    }
    return left;
}

/* A walk over both sides, told to show as it goes. */
struct walk {
    const struct diff_sets *sets;
    bool (*show)(const json_t *difference);
    json_t *codes_before;
    json_t *codes_after;
    size_t differences;
    bool failed;
};

static void show(struct walk *walk, json_t *object)
{
    walk->differences++;
    walk->failed = walk->failed || !walk->show(object);
    json_decref(object);
}

static void walk_next(struct walk *walk)
{
    const struct diff_sets *sets = walk->sets;
    const json_t *orders = json_object_get(sets->in_force, "orders");
    for (size_t i = 0; !walk->failed && i < policy_order_count(sets->next->policy); i++) {
        const struct order *order = policy_order(sets->next->policy, i);
        json_t *after = order_summary_json(sets->next, i, sets->now);
        const json_t *before = find_told(orders, order->id);
        add_codes(walk->codes_after, after);
        if (before == NULL || !is_same(before, after)) {
            show(walk, after == NULL ? NULL : difference(sets, before, after, order));
        }
        json_decref(after);
    }
}

static bool is_next(const struct diff_sets *sets, const char *id)
{
    for (size_t i = 0; i < policy_order_count(sets->next->policy); i++) {
        if (strcmp(policy_order(sets->next->policy, i)->id, id) == 0) {
            return true;
        }
    }
    return false;
}

/* Is there an error in its file? A reload then keeps the version in force. */
static bool fails(const struct diff_sets *sets, const json_t *order)
{
    const char *path = json_string_value(json_object_get(order, "file"));
    size_t root = strlen(sets->config->orders);
    for (size_t i = 0; path != NULL && i < sets->problems.count; i++) {
        const struct problem *problem = &sets->problems.items[i];
        if (problem->level == PROBLEM_ERROR && strlen(problem->file) > root &&
            strncmp(problem->file, sets->config->orders, root) == 0 &&
            strcmp(problem->file + root + 1, path) == 0) {
            return true;
        }
    }
    return false;
}

static void walk_in_force(struct walk *walk)
{
    size_t index;
    const json_t *before;
    json_array_foreach(json_object_get(walk->sets->in_force, "orders"), index, before)
    {
        const char *id = json_string_value(json_object_get(before, "id"));
        add_codes(walk->codes_before, before);
        if (id == NULL || is_next(walk->sets, id)) {
            continue;
        }
        if (fails(walk->sets, before)) {
            add_codes(walk->codes_after, before);
        } else if (!walk->failed) {
            show(walk, difference(walk->sets, before, NULL, NULL));
        }
    }
}

static void walk_countries(struct walk *walk)
{
    json_t *begin = codes_without(walk->codes_after, walk->codes_before);
    json_t *end = codes_without(walk->codes_before, walk->codes_after);
    if (json_array_size(begin) + json_array_size(end) > 0) {
        show(walk,
             json_pack("{s:s, s:O, s:O}", "change", "countries", "bound", begin, "free", end));
    }
    json_decref(begin);
    json_decref(end);
}

/* Files that a reload would not take as they are, and what it would warn of. */
static void walk_problems(struct walk *walk)
{
    const struct problem_list *problems = &walk->sets->problems;
    for (size_t i = 0; !walk->failed && i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        if (problem->level == PROBLEM_ERROR) {
            show(walk, json_pack("{s:s, s:s, s:i, s:i, s:s}", "change", "error", "file",
                                 problem->file, "line", (int)problem->line, "column",
                                 (int)problem->column, "error", problem->text));
        }
    }
}

/* ---- Text ---- */

static const char *value_text(const json_t *value, char out[static TEXT_MAX])
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
    snprintf(out, TEXT_MAX, "%s", text == NULL ? "?" : text);
    free(text);
    return out;
}

static const char *plain(const json_t *object, const char *key, char out[static TEXT_MAX])
{
    const char *text = json_string_value(json_object_get(object, key));
    return plain_text(text == NULL ? "?" : text, out, TEXT_MAX);
}

static void print_shown(const json_t *difference, const char *key, const char *sign)
{
    char text[TEXT_MAX];
    size_t index;
    const json_t *name;
    json_array_foreach(json_object_get(difference, key), index, name)
    {
        printf("    %s %s\n", sign, plain_text(json_string_value(name), text, sizeof text));
    }
}

static void print_names(const json_t *difference)
{
    json_int_t before = json_integer_value(json_object_get(difference, "names_before"));
    json_int_t after = json_integer_value(json_object_get(difference, "names_after"));
    json_t *added = json_object_get(difference, "names_added");
    json_t *removed = json_object_get(difference, "names_removed");
    if (json_is_integer(added)) {
        printf("    names: %" JSON_INTEGER_FORMAT " added, %" JSON_INTEGER_FORMAT
               " removed, %" JSON_INTEGER_FORMAT " now\n",
               json_integer_value(added), json_integer_value(removed), after);
        print_shown(difference, "added", "+");
        print_shown(difference, "removed", "-");
    } else {
        printf("    names: %" JSON_INTEGER_FORMAT " before, %" JSON_INTEGER_FORMAT
               " now; which, is not known: the state folder does not hold the version in force\n",
               before, after);
    }
}

static void print_order(const json_t *difference)
{
    char change[TEXT_MAX], id[TEXT_MAX], file[TEXT_MAX], old[TEXT_MAX], new[TEXT_MAX];
    const char *key;
    json_t *pair;
    printf("%-8s %s  %s  %s\n", plain(difference, "change", change), plain(difference, "id", id),
           plain(difference, "file", file),
           json_is_true(json_object_get(difference, "in_force")) ? "in force" : "not in force");
    json_object_foreach(json_object_get(difference, "fields"), key, pair)
    {
        printf("    %s: %s -> %s\n", key, value_text(json_array_get(pair, 0), old),
               value_text(json_array_get(pair, 1), new));
    }
    print_names(difference);
}

static void print_codes(const json_t *difference, const char *key, const char *heading)
{
    size_t index;
    const json_t *code, *codes = json_object_get(difference, key);
    json_array_foreach(codes, index, code)
    {
        printf("%s%s", index == 0 ? heading : ", ", json_string_value(code));
    }
    if (json_array_size(codes) > 0) {
        putchar('\n');
    }
}

/* The place as far as there is one, as in the lists of problems that other commands print. */
static void print_failure(const json_t *difference)
{
    char file[TEXT_MAX], text[TEXT_MAX], line[2 * TEXT_MAX];
    const struct problem problem = {
        .file = (char *)plain(difference, "file", file),
        .line = (unsigned)json_integer_value(json_object_get(difference, "line")),
        .column = (unsigned)json_integer_value(json_object_get(difference, "column")),
        .text = (char *)plain(difference, "error", text),
    };
    problem_format(&problem, line, sizeof line);
    printf("fails    %s\n", line);
}

static bool print(const json_t *difference)
{
    const char *change = json_string_value(json_object_get(difference, "change"));
    if (change == NULL) {
        cli_output_error("out of memory");
        return false;
    }
    if (strcmp(change, "countries") == 0) {
        print_codes(difference, "bound", "countries bound from now on: ");
        print_codes(difference, "free", "countries bound no more: ");
    } else if (strcmp(change, "error") == 0) {
        print_failure(difference);
    } else {
        print_order(difference);
    }
    return true;
}

/* ---- All together ---- */

static enum command_exit compare(const struct diff_sets *sets, bool json)
{
    struct walk walk = {.sets = sets,
                        .show = json ? cli_output_json : print,
                        .codes_before = json_object(),
                        .codes_after = json_object()};
    walk_next(&walk);
    walk_in_force(&walk);
    walk_countries(&walk);
    walk_problems(&walk);
    if (!json && walk.differences == 0) {
        puts("a reload would change nothing");
    }
    json_decref(walk.codes_before);
    json_decref(walk.codes_after);
    return walk.failed || sets->problems.errors > 0 ? COMMAND_FAILED : COMMAND_DONE;
}

enum command_exit cmd_diff(const struct cli_options *options)
{
    struct diff_sets sets;
    enum command_exit status = COMMAND_FAILED;
    if (diff_sets_load(&sets, options)) {
        status = compare(&sets, cli_options_has(options, CLI_OPTION_JSON));
    }
    diff_sets_fini(&sets);
    return status;
}
