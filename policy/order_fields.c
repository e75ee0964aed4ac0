/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Each function reads the value of one key, all of it: a list with three bad items gives three
 * problems. What a key that was refused leaves in the order does not matter: with any error the
 * order is not used.
 */
#include "policy/order_fields.h"

#include <stdlib.h>

/* ---- Whom ---- */

/* Reports at this place if it is not known which clients are in a subdivision. */
static void judge_place(struct order_reader *reader, struct yaml_node place,
                        const struct subdivision *subdivision)
{
    char code[SUBDIVISION_TEXT_MAX];
    if (reader->env->find_place == NULL) {
        return;
    }
    switch (reader->env->find_place(reader->env->ctx, subdivision)) {
    case ORDER_FILE_PLACE_KNOWN:
        return;
    case ORDER_FILE_PLACE_EMPTY:
        yaml_node_problem(place, PROBLEM_WARNING, reader->problems,
                          "%s binds nobody: neither the country database nor the overrides say of "
                          "any address that it lies there",
                          subdivision_format(subdivision, code));
        return;
    case ORDER_FILE_PLACE_UNKNOWN:
        yaml_node_problem(place, PROBLEM_ERROR, reader->problems,
                          "%s needs to know where in its country a client is: expected a "
                          "geo.database with the codes of subdivisions (a City database), or "
                          "geo.overrides with this region",
                          subdivision_format(subdivision, code));
        return;
    }
}

/* Keeps them sorted, which so few can afford. */
static void add_subdivision(struct order_reader *reader, struct yaml_node place,
                            const struct subdivision *subdivision)
{
    struct order_scope *scope = &reader->order->scope;
    struct subdivision *more =
        reallocarray(scope->subdivisions, scope->subdivision_count + 1, sizeof *more);
    if (more == NULL) {
        order_reader_out_of_memory(reader, place);
        return;
    }
    scope->subdivisions = more;
    more[scope->subdivision_count++] = *subdivision;
    qsort(more, scope->subdivision_count, sizeof *more, subdivision_compare);
}

static bool scope_names(const struct order_scope *scope, const struct order_folder_scope *part)
{
    if (part->is_group) {
        return scope->groups[part->group];
    }
    if (!subdivision_known(&part->subdivision)) {
        return country_set_has(&scope->countries, part->country);
    }
    return scope->subdivision_count > 0 &&
           bsearch(&part->subdivision, scope->subdivisions, scope->subdivision_count,
                   sizeof part->subdivision, subdivision_compare) != NULL;
}

/* Adds one country, group or subdivision, which it does not name yet. */
static void scope_add(struct order_reader *reader, struct yaml_node place,
                      const struct order_folder_scope *part)
{
    struct order_scope *scope = &reader->order->scope;
    if (part->is_group) {
        scope->groups[part->group] = true;
    } else if (subdivision_known(&part->subdivision)) {
        add_subdivision(reader, place, &part->subdivision);
        judge_place(reader, place, &part->subdivision);
    } else {
        country_set_add(&scope->countries, part->country);
    }
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
    } else if (scope_names(&reader->order->scope, &part)) {
        yaml_node_problem(item, PROBLEM_ERROR, reader->problems, "%s is given twice",
                          yaml_node_quote(item, shown));
    } else {
        scope_add(reader, item, &part);
    }
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
    if (reader->problems->errors != before ||
        order_folder_scope_held(&reader->env->folder, &reader->order->scope, reader->env->now)) {
        return;
    }
    char folder[ORDER_FOLDER_SCOPE_MAX];
    yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                      "the scope must contain the folder of the order, %s",
                      order_folder_scope_format(&reader->env->folder, folder));
}

void order_fields_scope_of_folder(struct order_reader *reader)
{
    scope_add(reader, reader->root, &reader->env->folder);
}

void order_fields_include_unknown(struct order_reader *reader, const struct order_key *key,
                                  struct yaml_node value)
{
    (void)key;
    order_reader_bool(reader, value, &reader->order->scope.unknown);
}

/* An order_item_fn. */
static bool read_network(struct order_reader *reader, struct yaml_node item, void *out)
{
    return order_reader_network(reader, item, out);
}

void order_fields_except_networks(struct order_reader *reader, const struct order_key *key,
                                  struct yaml_node value)
{
    (void)key;
    size_t count;
    struct network *networks =
        order_reader_items(reader, value, sizeof *networks, read_network, &count);
    if (networks == NULL) {
        return;
    }
    reader->order->except_networks = network_set_new(networks, count);
    if (count > 0 && reader->order->except_networks == NULL) {
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
    const char *text = yaml_node_scalar(value, &len);
    if (!order_action_parse(text, len, &reader->order->action)) {
        char shown[YAML_QUOTE_MAX];
        reader->action_refused = true;
        yaml_node_problem(
            value, PROBLEM_ERROR, reader->problems,
            "expected refused, nxdomain, nodata, address, cname, drop or shadow, not %s",
            yaml_node_quote(value, shown));
    }
}

void order_fields_target(struct order_reader *reader, const struct order_key *key,
                         struct yaml_node value)
{
    (void)key;
    if (order_reader_name(reader, value, &reader->order->target) &&
        reader->order->target.labels == 0) {
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "expected a name that has addresses, not the root");
    }
}

void order_fields_aliases(struct order_reader *reader, const struct order_key *key,
                          struct yaml_node value)
{
    (void)key;
    order_reader_bool(reader, value, &reader->order->aliases);
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

/* A key that belongs to one action: needed with it, of no use with any other. */
static void check_companion(struct order_reader *reader, const char *key, enum order_action action)
{
    struct yaml_node given = order_reader_find(reader, "action");
    struct yaml_node companion = order_reader_find(reader, key);
    bool wanted = reader->order->action == action;
    if (wanted && !yaml_node_present(companion)) {
        yaml_node_problem(yaml_node_present(given) ? given : reader->root, PROBLEM_ERROR,
                          reader->problems, "the action '%s' needs the key '%s'",
                          order_action_name(action), key);
    } else if (!wanted && yaml_node_present(companion)) {
        yaml_node_problem(companion, PROBLEM_ERROR, reader->problems,
                          "the key '%s' goes with the action '%s', not with '%s'", key,
                          order_action_name(action), order_action_name(reader->order->action));
    }
}

/* Nothing is checked if the action was refused: it is not known what it was to be. */
void order_fields_check(struct order_reader *reader)
{
    if (!reader->action_refused) {
        check_companion(reader, "addresses", ORDER_ADDRESS);
        check_companion(reader, "target", ORDER_CNAME);
    }
}
