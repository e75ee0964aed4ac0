/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Each function reads the value of one key, all of it: a list with three bad items gives three
 * problems. What a key that was refused leaves in the order does not matter: with any error the
 * order is not used.
 */
#include "policy/order_fields.h"

#include <stdlib.h>
#include <string.h>

#include "policy/instant.h"

#define ID_MAX 64

/* ---- On record ---- */

void order_fields_unsupported(struct order_reader *reader, const struct order_key *key,
                              struct yaml_node value)
{
    yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                      "the key '%s' is not supported by this build", key->name);
}

void order_fields_id(struct order_reader *reader, const struct order_key *key,
                     struct yaml_node value)
{
    static const char inside[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789._-";
    (void)key;
    if (!order_reader_expect(reader, value, YAML_TEXT_SCALAR)) {
        return;
    }
    size_t len = 0;
    const char *id = yaml_node_scalar(value, &len);
    if (len == 0 || len > ID_MAX || strspn(id, inside) != len) {
        char shown[YAML_QUOTE_MAX];
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "expected an id of 1 to %d letters, digits, '.', '_' and '-', not %s",
                          ID_MAX, yaml_node_quote(value, shown));
        return;
    }
    reader->order->id = order_reader_copy(reader, value, ID_MAX);
    yaml_node_place(value, &reader->order->id_line, &reader->order->id_column);
}

static char **text_of_key(struct order_reader *reader, const struct order_key *key)
{
    return (char **)(void *)((char *)reader->order + key->text_offset);
}

void order_fields_text(struct order_reader *reader, const struct order_key *key,
                       struct yaml_node value)
{
    *text_of_key(reader, key) = order_reader_copy(reader, value, key->text_max);
}

void order_fields_message(struct order_reader *reader, const struct order_key *key,
                          struct yaml_node value)
{
    if (yaml_node_kind(value) == YAML_TEXT_MAPPING) {
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "a message per language is not supported by this build");
        return;
    }
    struct order *order = reader->order;
    order->messages = calloc(1, sizeof *order->messages);
    if (order->messages == NULL) {
        order_reader_out_of_memory(reader, value);
        return;
    }
    order->messages[order->message_count++].text = order_reader_copy(reader, value, key->text_max);
}

void order_fields_date(struct order_reader *reader, const struct order_key *key,
                       struct yaml_node value)
{
    size_t len = 0;
    const char *text = yaml_node_scalar(value, &len);
    if (!instant_is_date(text, len)) {
        char shown[YAML_QUOTE_MAX];
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "expected a date such as 2022-07-11, not %s",
                          yaml_node_quote(value, shown));
        return;
    }
    order_fields_text(reader, key, value);
}

static void refuse_time(struct order_reader *reader, struct yaml_node value)
{
    char shown[YAML_QUOTE_MAX];
    yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                      "expected a date such as 2022-07-11 or a time such as "
                      "2022-07-11T00:00:00Z (RFC 3339), not %s",
                      yaml_node_quote(value, shown));
}

void order_fields_date_or_time(struct order_reader *reader, const struct order_key *key,
                               struct yaml_node value)
{
    size_t len = 0;
    int64_t ignored;
    const char *text = yaml_node_scalar(value, &len);
    if (!instant_is_date(text, len) && !instant_parse(text, len, &ignored)) {
        refuse_time(reader, value);
        return;
    }
    order_fields_text(reader, key, value);
}

void order_fields_disclose(struct order_reader *reader, const struct order_key *key,
                           struct yaml_node value)
{
    (void)key;
    order_reader_bool(reader, value, &reader->order->disclose);
}

void order_fields_public_record(struct order_reader *reader, const struct order_key *key,
                                struct yaml_node value)
{
    if (!order_reader_expect(reader, value, YAML_TEXT_MAPPING)) {
        return;
    }
    struct order *order = reader->order;
    size_t count = yaml_node_count(value);
    order->records = calloc(count + 1, sizeof *order->records);
    if (order->records == NULL) {
        order_reader_out_of_memory(reader, value);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct order_record *record = &order->records[order->record_count++];
        record->key = order_reader_copy(reader, yaml_node_key(value, i), key->text_max);
        record->value = order_reader_copy(reader, yaml_node_value(value, i), key->text_max);
    }
}

void order_fields_aliases(struct order_reader *reader, const struct order_key *key,
                          struct yaml_node value)
{
    bool wanted = false;
    if (order_reader_bool(reader, value, &wanted) && wanted) {
        order_fields_unsupported(reader, key, value);
    }
}

/* ---- When ---- */

void order_fields_status(struct order_reader *reader, const struct order_key *key,
                         struct yaml_node value)
{
    (void)key;
    size_t len = 0;
    const char *text = yaml_node_scalar(value, &len);
    if (!order_status_parse(text, len, &reader->order->status)) {
        char shown[YAML_QUOTE_MAX];
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "expected active, suspended or lifted, not %s",
                          yaml_node_quote(value, shown));
    }
}

void order_fields_timezone(struct order_reader *reader, const struct order_key *key,
                           struct yaml_node value)
{
    (void)key;
    char why[WHY_MAX];
    char shown[YAML_QUOTE_MAX];
    reader->zone = instant_zone_open(yaml_node_scalar(value, NULL), why);
    if (reader->zone == NULL) {
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems, "%s: %s",
                          yaml_node_quote(value, shown), why);
    }
}

typedef bool day_fn(const char *text, size_t len, const struct instant_zone *zone, int64_t *out);

/* Reads a time, or a date by the day function. A bare date with a timezone that was refused says
 * nothing more. */
static void read_instant(struct order_reader *reader, struct yaml_node value, day_fn *day,
                         int64_t *out)
{
    size_t len = 0;
    const char *text = yaml_node_scalar(value, &len);
    if (instant_parse(text, len, out)) {
        return;
    }
    if (!instant_is_date(text, len)) {
        refuse_time(reader, value);
    } else if (reader->zone != NULL) {
        day(text, len, reader->zone, out);
    } else if (!yaml_node_present(order_reader_find(reader, "timezone"))) {
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "a bare date needs the key 'timezone' in the order");
    }
}

void order_fields_effective(struct order_reader *reader, const struct order_key *key,
                            struct yaml_node value)
{
    (void)key;
    read_instant(reader, value, instant_day_start, &reader->order->effective);
}

void order_fields_until(struct order_reader *reader, const struct order_key *key,
                        struct yaml_node value)
{
    (void)key;
    read_instant(reader, value, instant_day_end, &reader->order->end);
}

/* A review needs no timezone: nothing begins or ends with it. */
void order_fields_review(struct order_reader *reader, const struct order_key *key,
                         struct yaml_node value)
{
    (void)key;
    size_t len = 0;
    const char *text = yaml_node_scalar(value, &len);
    if (!instant_day_end(text, len, reader->zone, &reader->order->review) &&
        !instant_parse(text, len, &reader->order->review)) {
        refuse_time(reader, value);
    }
}

/* ---- Whom ---- */

/* Adds one country or group; false if it was there before. */
static bool scope_add(struct order_scope *scope, const struct order_folder_scope *part)
{
    if (part->is_group) {
        bool before = scope->groups[part->group];
        scope->groups[part->group] = true;
        return !before;
    }
    bool before = country_set_has(&scope->countries, part->country);
    country_set_add(&scope->countries, part->country);
    return !before;
}

static void read_scope_item(struct order_reader *reader, struct yaml_node item)
{
    char why[WHY_MAX];
    char shown[YAML_QUOTE_MAX];
    struct order_folder_scope part;
    if (!order_reader_expect(reader, item, YAML_TEXT_SCALAR)) {
        return;
    }
    if (!order_folder_scope_parse(yaml_node_scalar(item, NULL), &part, why)) {
        yaml_node_problem(item, PROBLEM_ERROR, reader->problems, "%s: %s",
                          yaml_node_quote(item, shown), why);
    } else if (!scope_add(&reader->order->scope, &part)) {
        yaml_node_problem(item, PROBLEM_ERROR, reader->problems, "%s is given twice",
                          yaml_node_quote(item, shown));
    }
}

/* A group holds the countries that are its members now. */
static bool scope_has_folder(const struct order_reader *reader)
{
    const struct order_folder_scope *folder = &reader->env->folder;
    const struct order_scope *scope = &reader->order->scope;
    return folder->is_group ? scope->groups[folder->group]
                            : order_scope_has(scope, folder->country, reader->env->now);
}

void order_fields_scope(struct order_reader *reader, const struct order_key *key,
                        struct yaml_node value)
{
    (void)key;
    size_t before = reader->problems->errors;
    if (yaml_node_kind(value) == YAML_TEXT_SEQUENCE) {
        for (size_t i = 0; i < yaml_node_count(value); i++) {
            read_scope_item(reader, yaml_node_item(value, i));
        }
    } else {
        read_scope_item(reader, value);
    }
    if (reader->problems->errors != before || scope_has_folder(reader)) {
        return;
    }
    const struct order_folder_scope *folder = &reader->env->folder;
    yaml_node_problem(
        value, PROBLEM_ERROR, reader->problems,
        "the scope must contain the folder of the order, %.*s", folder->is_group ? 3 : 2,
        folder->is_group ? country_group_name(folder->group) : folder->country.letter);
}

void order_fields_scope_of_folder(struct order_reader *reader)
{
    scope_add(&reader->order->scope, &reader->env->folder);
}

void order_fields_include_unknown(struct order_reader *reader, const struct order_key *key,
                                  struct yaml_node value)
{
    (void)key;
    order_reader_bool(reader, value, &reader->order->scope.unknown);
}

static bool read_network(struct order_reader *reader, struct yaml_node item, struct network *out)
{
    char why[WHY_MAX];
    size_t len = 0;
    if (!order_reader_expect(reader, item, YAML_TEXT_SCALAR)) {
        return false;
    }
    const char *text = yaml_node_scalar(item, &len);
    if (network_parse(text, len, out, why, sizeof why)) {
        return true;
    }
    yaml_node_problem(item, PROBLEM_ERROR, reader->problems, "%s", why);
    return false;
}

void order_fields_except_networks(struct order_reader *reader, const struct order_key *key,
                                  struct yaml_node value)
{
    (void)key;
    if (!order_reader_expect(reader, value, YAML_TEXT_SEQUENCE)) {
        return;
    }
    size_t items = yaml_node_count(value);
    size_t count = 0;
    struct network *networks = calloc(items + 1, sizeof *networks);
    for (size_t i = 0; networks != NULL && i < items; i++) {
        count += read_network(reader, yaml_node_item(value, i), &networks[count]);
    }
    if (networks != NULL) {
        reader->order->except_networks = network_set_new(networks, count);
    }
    if (networks == NULL || (count > 0 && reader->order->except_networks == NULL)) {
        order_reader_out_of_memory(reader, value);
    }
    free(networks);
}

/* ---- What is answered ---- */

void order_fields_action(struct order_reader *reader, const struct order_key *key,
                         struct yaml_node value)
{
    (void)key;
    size_t len = 0;
    char shown[YAML_QUOTE_MAX];
    const char *text = yaml_node_scalar(value, &len);
    if (order_action_parse(text, len, &reader->order->action) &&
        reader->order->action != ORDER_CNAME) {
        return;
    }
    reader->action_refused = true;
    if (strcmp(text, "cname") == 0) {
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "the action 'cname' is not supported by this build");
    } else {
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "expected refused, nxdomain, nodata, address, drop or shadow, not %s",
                          yaml_node_quote(value, shown));
    }
}

static void read_address(struct order_reader *reader, struct yaml_node item)
{
    struct order *order = reader->order;
    struct address address;
    size_t len = 0;
    const char *text = yaml_node_scalar(item, &len);
    if (!address_parse(text, len, &address)) {
        char shown[YAML_QUOTE_MAX];
        yaml_node_problem(item, PROBLEM_ERROR, reader->problems,
                          "expected an IPv4 or IPv6 address, not %s", yaml_node_quote(item, shown));
    } else if (order->address_count < ORDER_ADDRESSES_MAX) {
        order->addresses[order->address_count++] = address;
    }
}

void order_fields_addresses(struct order_reader *reader, const struct order_key *key,
                            struct yaml_node value)
{
    (void)key;
    if (!order_reader_expect(reader, value, YAML_TEXT_SEQUENCE)) {
        return;
    }
    size_t count = yaml_node_count(value);
    if (count == 0 || count > ORDER_ADDRESSES_MAX) {
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "expected 1 to %d addresses, not %zu", ORDER_ADDRESSES_MAX, count);
    }
    for (size_t i = 0; i < count; i++) {
        read_address(reader, yaml_node_item(value, i));
    }
}

/* ---- All together ---- */

/* Not where the action was refused: nobody knows what it was to be. */
static void check_addresses(struct order_reader *reader)
{
    struct yaml_node action = order_reader_find(reader, "action");
    struct yaml_node addresses = order_reader_find(reader, "addresses");
    bool wanted = reader->order->action == ORDER_ADDRESS;
    if (reader->action_refused) {
        return;
    }
    if (wanted && !yaml_node_present(addresses)) {
        yaml_node_problem(yaml_node_present(action) ? action : reader->root, PROBLEM_ERROR,
                          reader->problems, "the action 'address' needs the key 'addresses'");
    } else if (!wanted && yaml_node_present(addresses)) {
        yaml_node_problem(addresses, PROBLEM_ERROR, reader->problems,
                          "addresses go with the action 'address', not with '%s'",
                          order_action_name(reader->order->action));
    }
}

static void check_dates(struct order_reader *reader)
{
    const struct order *order = reader->order;
    struct yaml_node until = order_reader_find(reader, "until");
    struct yaml_node review = order_reader_find(reader, "review");
    char shown[INSTANT_TEXT_MAX];
    bool ended = order->end <= reader->env->now;
    if (yaml_node_present(until) && order->end <= order->effective) {
        yaml_node_problem(until, PROBLEM_ERROR, reader->problems,
                          "the order would end before it begins");
    } else if (order->status == ORDER_ACTIVE && ended) {
        yaml_node_problem(until, PROBLEM_WARNING, reader->problems,
                          "the order ended at %s and binds nobody any more",
                          instant_format(order->end, shown));
    }
    if (order->review <= reader->env->now && order->status != ORDER_LIFTED && !ended) {
        yaml_node_problem(review, PROBLEM_WARNING, reader->problems,
                          "the order was due for review by %s",
                          instant_format(order->review, shown));
    }
}

void order_fields_check(struct order_reader *reader)
{
    check_addresses(reader);
    check_dates(reader);
}
