/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Names of the order file go through the guard here, names of lists in policy/name_list.c; what the
 * guard refuses here is an error.
 */
#include "policy/order_names.h"

#include <stdlib.h>
#include <string.h>

#include "policy/guard.h"
#include "policy/network_rules.h"
#include "policy/order_items.h"

/* Each is tried with each label of a queried name. */
#define LABELS_MAX 1000

/* ---- Names of the file ---- */

static bool grow(struct order_reader *reader)
{
    struct order *order = reader->order;
    size_t capacity = reader->name_capacity == 0 ? 16 : reader->name_capacity * 2;
    struct order_name *names = reallocarray(order->names, capacity, sizeof *names);
    if (names == NULL) {
        return false;
    }
    order->names = names;
    struct yaml_node *places =
        reallocarray(reader->name_places, capacity, sizeof *reader->name_places);
    if (places == NULL) {
        return false;
    }
    reader->name_places = places;
    reader->name_capacity = capacity;
    return true;
}

/* Takes over the ticket of the item if it succeeds. */
static bool add_name(struct order_reader *reader, enum name_kind kind,
                     const struct order_item *item)
{
    struct order *order = reader->order;
    if (order->name_count == reader->name_capacity && !grow(reader)) {
        order_reader_out_of_memory(reader, reader->root);
        return false;
    }
    reader->name_places[order->name_count] = item->place;
    order->names[order->name_count] = item->name;
    order->names[order->name_count++].kind = kind;
    return true;
}

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text > 0x7F) {
            return false;
        }
    }
    return true;
}

/* Refuses a name that was read. Where the text was mapped (IDNA) the reader sees to what. */
static void refuse_name(struct order_reader *reader, struct yaml_node node,
                        const struct dname *name, const char *why)
{
    char shown[YAML_QUOTE_MAX];
    char mapped[DNAME_TEXT_MAX];
    if (is_ascii(yaml_node_scalar(node, NULL))) {
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "%s", why);
    } else {
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "%s reads as %s: %s",
                          yaml_node_quote(node, shown), dname_format(name, mapped), why);
    }
}

/* May the order block this name? If not, that is a problem. */
static bool guard_allows(struct order_reader *reader, struct yaml_node node,
                         const struct dname *name)
{
    char why[WHY_MAX];
    bool permitted = guard_permits(reader->env->guard, &reader->wide, name, why);
    if (!permitted) {
        refuse_name(reader, node, name, why);
    }
    return permitted;
}

static void read_names(struct order_reader *reader, struct yaml_node value, enum name_kind kind)
{
    if (!order_reader_expect(reader, value, YAML_TEXT_SEQUENCE)) {
        return;
    }
    for (size_t i = 0; i < yaml_node_count(value); i++) {
        struct order_item item;
        if (order_items_read(reader, yaml_node_item(value, i), &item) &&
            ((kind != NAME_EXCEPT && !guard_allows(reader, item.place, &item.name.name)) ||
             !add_name(reader, kind, &item))) {
            free(item.name.ticket);
        }
    }
}

void order_names_names(struct order_reader *reader, const struct order_key *key,
                       struct yaml_node value)
{
    (void)key;
    read_names(reader, value, NAME_SUBTREE);
}

void order_names_exact(struct order_reader *reader, const struct order_key *key,
                       struct yaml_node value)
{
    (void)key;
    read_names(reader, value, NAME_EXACT);
}

void order_names_except(struct order_reader *reader, const struct order_key *key,
                        struct yaml_node value)
{
    (void)key;
    read_names(reader, value, NAME_EXCEPT);
}

/* ---- allow-wide ---- */

static void read_wide(struct order_reader *reader, struct yaml_node item)
{
    struct guard_wide *wide = &reader->wide;
    char ignored[WHY_MAX];
    size_t len = 0;
    const char *text = yaml_node_scalar(item, &len);
    struct network *network = &wide->networks[wide->network_count];
    if (network_parse(text, len, network, ignored, sizeof ignored)) {
        wide->network_count++;
    } else if (strchr(text, '/') != NULL) {
        (void)order_reader_network(reader, item, network);
    } else if (order_reader_name(reader, item, &wide->names[wide->name_count])) {
        wide->name_count++;
    }
}

void order_names_allow_wide(struct order_reader *reader, const struct order_key *key,
                            struct yaml_node value)
{
    struct guard_wide *wide = &reader->wide;
    (void)key;
    if (!order_reader_expect(reader, value, YAML_TEXT_SEQUENCE)) {
        return;
    }
    size_t count = yaml_node_count(value);
    wide->names = calloc(count + 1, sizeof *wide->names);
    wide->networks = calloc(count + 1, sizeof *wide->networks);
    if (wide->names == NULL || wide->networks == NULL) {
        order_reader_out_of_memory(reader, value);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        read_wide(reader, yaml_node_item(value, i));
    }
}

/* ---- Labels under any suffix ---- */

static bool has_label(const struct order *order, const struct dname *label)
{
    for (size_t i = 0; i < order->any_tld_count; i++) {
        if (dname_equal(&order->any_tld[i], label)) {
            return true;
        }
    }
    return false;
}

/* Reads one label behind those that the order has. */
static void read_label(struct order_reader *reader, struct yaml_node item)
{
    struct order *order = reader->order;
    struct dname *label = &order->any_tld[order->any_tld_count];
    char shown[YAML_QUOTE_MAX];
    char why[WHY_MAX];
    if (!order_reader_name(reader, item, label)) {
        return;
    }
    if (label->labels != 1) {
        yaml_node_problem(item, PROBLEM_ERROR, reader->problems,
                          "expected one label, such as 'example' of example.com, not %s",
                          yaml_node_quote(item, shown));
    } else if (!guard_permits_label(&reader->wide, label, why)) {
        refuse_name(reader, item, label, why);
    } else if (has_label(order, label)) {
        yaml_node_problem(item, PROBLEM_WARNING, reader->problems, "%s is given twice",
                          yaml_node_quote(item, shown));
    } else {
        order->any_tld_count++;
    }
}

void order_names_any_tld(struct order_reader *reader, const struct order_key *key,
                         struct yaml_node value)
{
    (void)key;
    if (!order_reader_expect(reader, value, YAML_TEXT_SEQUENCE)) {
        return;
    }
    size_t count = yaml_node_count(value);
    if (count > LABELS_MAX) {
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "expected at most %d labels, not %zu", LABELS_MAX, count);
        return;
    }
    reader->order->any_tld = calloc(count + 1, sizeof *reader->order->any_tld);
    if (reader->order->any_tld == NULL) {
        order_reader_out_of_memory(reader, value);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        read_label(reader, yaml_node_item(value, i));
    }
}

/* ---- Protected names ---- */

static bool lists_look_beyond_names(const struct order *order)
{
    for (size_t i = 0; i < order->list_count; i++) {
        const struct name_list *list = order->lists[i].names;
        if (network_rules_count(name_list_answers(list)) > 0 ||
            network_rules_count(name_list_clients(list)) > 0) {
            return true;
        }
    }
    return false;
}

bool order_names_reach_beyond(const struct order *order)
{
    return order->any_tld_count > 0 || order->answers != NULL || order->aliases ||
           lists_look_beyond_names(order);
}

static bool blocks_root(const struct order *order)
{
    for (size_t i = 0; i < order->name_count; i++) {
        if (order->names[i].kind == NAME_SUBTREE && order->names[i].name.labels == 0) {
            return true;
        }
    }
    return false;
}

bool order_names_need_exceptions(const struct order *order)
{
    return blocks_root(order) || order_names_reach_beyond(order);
}

/* Does some list block clients whatever they ask for? One that only lets clients pass does not. */
static bool blocks_clients(const struct order *order)
{
    for (size_t i = 0; i < order->list_count; i++) {
        const struct network_rules *clients = name_list_clients(order->lists[i].names);
        for (size_t n = 0; n < network_rules_count(clients); n++) {
            if (network_rules_at(clients, n)->rule != NAME_LIST_PASS) {
                return true;
            }
        }
    }
    return false;
}

bool order_names_need_passes(const struct order *order)
{
    return order_names_reach_beyond(order) && !blocks_root(order) && !blocks_clients(order);
}

/* A guard_visit_fn. */
static bool add_protected(void *ctx, const struct dname *name)
{
    const struct order_item item = {.name = {.name = *name}};
    return add_name(ctx, NAME_EXCEPT, &item);
}

/* A guard_visit_fn. What stands above a protected name is protected alone, not with all below it.
 */
static bool add_above(void *ctx, const struct dname *name)
{
    const struct order_item item = {.name = {.name = *name}};
    return add_name(ctx, NAME_PASS, &item);
}

void order_names_finish(struct order_reader *reader)
{
    if (order_names_need_passes(reader->order)) {
        guard_each_above(reader->env->guard, add_above, reader);
    }
    if (order_names_need_exceptions(reader->order)) {
        guard_each_protected(reader->env->guard, add_protected, reader);
    }
    (void)order_items_share_terms(reader);
}
