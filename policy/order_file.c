/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which keys an order has, in one table that says which file reads each. Every key is read whatever
 * is wrong with the others, so that all problems come out at once.
 */
#include "policy/order_file.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "policy/instant.h"
#include "policy/order_answers.h"
#include "policy/order_checks.h"
#include "policy/order_fields.h"
#include "policy/order_hours.h"
#include "policy/order_lists.h"
#include "policy/order_messages.h"
#include "policy/order_names.h"
#include "policy/order_reader.h"
#include "policy/order_record.h"
#include "policy/order_times.h"

#define AUTHORITY_MAX 200
#define TEXT_MAX 1000

/* Turns of reading, the highest first: a time zone is needed to read dates, and the dates of the
 * order to judge those of its items. */
enum {
    WITH_THE_REST,
    BEFORE_THE_REST,
    BEFORE_ALL,
};

#define TEXT(member) .text_offset = offsetof(struct order, member)

static const struct order_key keys[] = {
    {.name = "id", .read = order_record_id, .required = true},
    {.name = "authority",
     .read = order_record_text,
     .required = true,
     TEXT(authority),
     .text_max = AUTHORITY_MAX},
    {.name = "title", .read = order_record_text, TEXT(title), .text_max = TEXT_MAX},
    {.name = "reference", .read = order_record_text, TEXT(reference), .text_max = TEXT_MAX},
    {.name = "legal-basis", .read = order_record_text, TEXT(legal_basis), .text_max = TEXT_MAX},
    {.name = "issued",
     .read = order_record_date,
     .required = true,
     TEXT(issued),
     .text_max = TEXT_MAX},
    {.name = "received", .read = order_record_date_or_time, TEXT(received), .text_max = TEXT_MAX},
    {.name = "deadline", .read = order_record_date_or_time, TEXT(deadline), .text_max = TEXT_MAX},
    {.name = "timezone", .read = order_times_timezone, .turn = BEFORE_ALL},
    {.name = "effective", .read = order_times_effective, .turn = BEFORE_THE_REST},
    {.name = "until", .read = order_times_until, .turn = BEFORE_THE_REST},
    {.name = "review", .read = order_times_review},
    {.name = "status", .read = order_times_status},
    {.name = "scope", .read = order_fields_scope},
    {.name = "except-networks", .read = order_fields_except_networks},
    {.name = "include-unknown", .read = order_fields_include_unknown},
    {.name = "action", .read = order_fields_action},
    {.name = "addresses", .read = order_fields_addresses},
    {.name = "target", .read = order_fields_target},
    {.name = "message", .read = order_messages_read, .text_max = ORDER_MESSAGE_MAX},
    {.name = "disclose", .read = order_record_disclose},
    {.name = "public-record", .read = order_record_public_record, .text_max = TEXT_MAX},
    {.name = "names", .read = order_names_names},
    {.name = "exact", .read = order_names_exact},
    {.name = "except", .read = order_names_except},
    {.name = "any-tld", .read = order_names_any_tld},
    {.name = "lists", .read = order_lists_read},
    {.name = "answers", .read = order_answers_read},
    {.name = "aliases", .read = order_fields_aliases},
    {.name = "windows", .read = order_hours_read},
    {.name = "allow-wide", .read = order_names_allow_wide, .turn = BEFORE_ALL},
    {.name = "history", .read = order_record_history},
};
#define KEYS (sizeof keys / sizeof *keys)

static const struct order_key *find_key(const char *name)
{
    for (size_t i = 0; i < KEYS; i++) {
        if (strcmp(keys[i].name, name) == 0) {
            return &keys[i];
        }
    }
    return NULL;
}

/* Reads the keys of one turn; unknown ones are found in the last. */
static void read_keys(struct order_reader *reader, unsigned turn)
{
    for (size_t i = 0; i < yaml_node_count(reader->root); i++) {
        struct yaml_node name = yaml_node_key(reader->root, i);
        const struct order_key *key = find_key(yaml_node_scalar(name, NULL));
        if (key != NULL && key->turn == turn) {
            key->read(reader, key, yaml_node_value(reader->root, i));
        } else if (key == NULL && turn == WITH_THE_REST) {
            char shown[YAML_QUOTE_MAX];
            yaml_node_problem(name, PROBLEM_ERROR, reader->problems,
                              "an order has no key %s; expected those of bailiwick-orders(5)",
                              yaml_node_quote(name, shown));
        }
    }
}

static void check_required(struct order_reader *reader)
{
    for (size_t i = 0; i < KEYS; i++) {
        if (keys[i].required && !yaml_node_present(order_reader_find(reader, keys[i].name))) {
            yaml_node_problem(reader->root, PROBLEM_ERROR, reader->problems,
                              "the key '%s' is missing", keys[i].name);
        }
    }
}

static void read_order(struct order_reader *reader)
{
    if (yaml_node_kind(reader->root) != YAML_TEXT_MAPPING) {
        char shown[YAML_QUOTE_MAX];
        yaml_node_problem(reader->root, PROBLEM_ERROR, reader->problems,
                          "expected the keys of an order, not %s",
                          yaml_node_quote(reader->root, shown));
        return;
    }
    reader->order->action = reader->env->default_action;
    check_required(reader);
    read_keys(reader, BEFORE_ALL);
    read_keys(reader, BEFORE_THE_REST);
    read_keys(reader, WITH_THE_REST);
    if (!yaml_node_present(order_reader_find(reader, "scope"))) {
        order_fields_scope_of_folder(reader);
    }
    order_fields_check(reader);
    order_times_check(reader);
    order_names_finish(reader);
    order_checks_names(reader);
}

struct order *order_file_parse(const struct order_file_env *env, const char *name,
                               const struct file_bytes *bytes, struct problem_list *problems)
{
    size_t before = problems->errors;
    struct yaml_text *text = yaml_text_parse(name, bytes->bytes, bytes->size, problems);
    if (text == NULL) {
        return NULL;
    }
    struct order_reader reader = {
        .env = env,
        .problems = problems,
        .errors_before = before,
        .root = yaml_text_root(text),
        .order = order_new(),
    };
    if (reader.order == NULL) {
        order_reader_out_of_memory(&reader, reader.root);
    } else {
        memcpy(reader.order->sha256, bytes->sha256, sizeof bytes->sha256);
        read_order(&reader);
    }
    instant_zone_close(reader.zone);
    free(reader.wide.names);
    free(reader.wide.networks);
    free(reader.name_places);
    yaml_text_free(text);
    if (problems->errors != before) {
        order_unref(reader.order);
        return NULL;
    }
    return reader.order;
}
