/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Names are compared with names that stand above them, and with the exceptions; what holds only for
 * a time covers nothing that holds longer. A warning is given at the name's own line, the first
 * TOLD_MAX of each sort.
 */
#include "policy/order_checks.h"

#include <stdlib.h>
#include <string.h>

#include "policy/instant.h"
#include "policy/order_blocked.h"
#include "policy/order_names.h"
#include "policy/order_nodata.h"
#include "policy/public_suffix.h"

#define TOLD_MAX 20

/* Every name of a longer list would be compared with the exceptions at each load. */
#define SEARCHED_LIST_MAX 100000

/* One sort of warning: the first are told, the rest counted. */
struct tally {
    const char *rest; /* what the rest is, for its line */
    size_t count;
};

/* Counts one more. May it be reported? */
static bool tally_add(struct tally *tally)
{
    return ++tally->count <= TOLD_MAX;
}

static void tally_end(struct order_reader *reader, const struct tally *tally)
{
    if (tally->count > TOLD_MAX) {
        yaml_node_problem(reader->root, PROBLEM_WARNING, reader->problems, "%zu %s",
                          tally->count - TOLD_MAX, tally->rest);
    }
}

/* ---- Nothing at all ---- */

/* Is the key there, and not an empty list? One that was refused counts: it has its own problem. */
static bool key_given(const struct order_reader *reader, const char *key)
{
    struct yaml_node value = order_reader_find(reader, key);
    return yaml_node_present(value) &&
           (yaml_node_kind(value) != YAML_TEXT_SEQUENCE || yaml_node_count(value) > 0);
}

static void check_any(struct order_reader *reader)
{
    static const char *const keys[] = {"names", "exact", "any-tld", "lists", "answers"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (key_given(reader, keys[i])) {
            return;
        }
    }
    yaml_node_problem(
        reader->root, PROBLEM_ERROR, reader->problems,
        "this order blocks nothing: expected names, exact, any-tld, lists or answers");
}

/* ---- The target ---- */

/* Is one of the order's labels in the name, with a public suffix behind it? As a policy decides,
 * what is a public suffix itself is not blocked. */
static bool has_any_tld(const struct order *order, const struct dname *name)
{
    struct dname suffix;
    for (unsigned labels = 2; labels <= name->labels; labels++) {
        if (!public_suffix_is(name, labels - 1) || public_suffix_is(name, labels)) {
            continue;
        }
        dname_suffix(name, labels, &suffix);
        for (size_t i = 0; i < order->any_tld_count; i++) {
            const uint8_t *label = order->any_tld[i].wire;
            if (memcmp(label, suffix.wire, label[0] + 1U) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* Does the order name this name, whatever it leaves free? */
static bool is_named(const struct order_blocked *blocked, const struct suffix_keys *keys)
{
    const unsigned whole = ORDER_BLOCKED_KIND(NAME_SUBTREE) | ORDER_BLOCKED_KIND(NAME_EXACT);
    return (order_blocked_kinds(blocked, keys, keys->count) & whole) != 0 ||
           (order_blocked_kinds_above(blocked, keys, keys->count - 1U) & ORDER_BLOCKED_BELOW) !=
               0 ||
           has_any_tld(blocked->order, keys->name);
}

/* Does the order leave it free: by an exception, or since it passes? */
static bool is_freed(const struct order_blocked *blocked, const struct suffix_keys *keys)
{
    const unsigned all_below =
        ORDER_BLOCKED_KIND(NAME_EXCEPT) | ORDER_BLOCKED_KIND(NAME_PASS_BELOW);
    const unsigned here = ORDER_BLOCKED_KIND(NAME_EXCEPT) | ORDER_BLOCKED_KIND(NAME_PASS);
    return (order_blocked_kinds(blocked, keys, keys->count) & here) != 0 ||
           (order_blocked_kinds_above(blocked, keys, keys->count - 1U) & all_below) != 0;
}

/* A client that is sent to a name which is blocked for it learns nothing there. */
static void check_target(struct order_reader *reader, const struct order_blocked *blocked)
{
    const struct dname *target = &reader->order->target;
    struct suffix_keys keys;
    if (reader->order->action != ORDER_CNAME) {
        return;
    }
    suffix_keys_init(&keys, target, blocked->seed);
    if (is_named(blocked, &keys) && !is_freed(blocked, &keys)) {
        char shown[DNAME_TEXT_MAX];
        yaml_node_problem(order_reader_find(reader, "target"), PROBLEM_ERROR, reader->problems,
                          "the order blocks its own target %s", dname_format(target, shown));
    }
}

/* ---- Covered names ---- */

static struct order_term term_of(const struct order *order, const struct order_name *name)
{
    return name->term == 0 ? (struct order_term){ORDER_ALWAYS, ORDER_FOR_GOOD}
                           : order->terms[name->term - 1];
}

/* Does one name hold whenever the other one does? */
static bool holds_as_long(const struct order *order, const struct order_name *name,
                          const struct order_name *other)
{
    struct order_term term = term_of(order, name), other_term = term_of(order, other);
    return term.effective <= other_term.effective && term.end >= other_term.end;
}

/* Does an item make another one, at or below it, useless? Of two that say the same only the later
 * one is. */
static bool covers(const struct order *order, size_t index, size_t other_index)
{
    const struct order_name *name = &order->names[index], *other = &order->names[other_index];
    bool same_name = name->name.labels == other->name.labels;
    bool same = same_name && name->kind == other->kind;
    if (index == other_index || !holds_as_long(order, name, other) ||
        (same && index > other_index && holds_as_long(order, other, name))) {
        return false;
    }
    switch (name->kind) {
    case NAME_SUBTREE:
        return other->kind != NAME_EXCEPT;
    case NAME_EXACT:
        return same;
    case NAME_EXCEPT:
        return true;
    case NAME_FREE_BELOW:
    case NAME_BELOW:
    case NAME_PASS:
    case NAME_PASS_BELOW:
        break; /* of lists alone */
    }
    return false;
}

/* The item that covers this one: of those the widest. False if there is none. */
static bool find_cover(const struct order_blocked *blocked, size_t index, size_t *cover)
{
    const struct order *order = blocked->order;
    struct suffix_keys keys;
    suffix_keys_init(&keys, &order->names[index].name, blocked->seed);
    for (unsigned labels = 0; labels <= keys.count; labels++) {
        const uint32_t *indexes = NULL;
        size_t count = order_blocked_names(blocked, &keys, labels, &indexes);
        for (size_t i = 0; i < count; i++) {
            if (covers(order, indexes[i], index)) {
                *cover = indexes[i];
                return true;
            }
        }
    }
    return false;
}

static void warn_of_cover(struct order_reader *reader, size_t index, size_t cover)
{
    const struct order_name *name = &reader->order->names[index];
    const struct order_name *by = &reader->order->names[cover];
    struct yaml_node place = reader->name_places[index];
    char shown[DNAME_TEXT_MAX], other[DNAME_TEXT_MAX];
    dname_format(&name->name, shown);
    dname_format(&by->name, other);
    if (by->kind == name->kind && dname_equal(&name->name, &by->name)) {
        unsigned line = 0, column = 0;
        yaml_node_place(reader->name_places[cover], &line, &column);
        yaml_node_problem(place, PROBLEM_WARNING, reader->problems,
                          "%s is given twice, first at line %u", shown, line);
    } else if (by->kind == NAME_EXCEPT && name->kind != NAME_EXCEPT) {
        yaml_node_problem(place, PROBLEM_WARNING, reader->problems,
                          "%s is never blocked: the exception %s of this order covers it", shown,
                          other);
    } else {
        yaml_node_problem(place, PROBLEM_WARNING, reader->problems,
                          "%s is covered by %s of this order", shown, other);
    }
}

static void check_covered(struct order_reader *reader, const struct order_blocked *blocked)
{
    struct tally tally = {.rest = "more items are covered by others of this order"};
    for (size_t i = 0; i < reader->order->name_count; i++) {
        size_t cover;
        if (yaml_node_present(reader->name_places[i]) && find_cover(blocked, i, &cover) &&
            tally_add(&tally)) {
            warn_of_cover(reader, i, cover);
        }
    }
    tally_end(reader, &tally);
}

/* ---- Exceptions ---- */

/* Which exceptions of the file match anything, by their indexes. */
struct matches {
    const struct order_blocked *blocked;
    bool *matched;
};

/* A suffix_map_visit_fn: a name that is blocked gives a meaning to the exceptions at it and above
 * it. */
static bool mark_above(void *ctx, const struct dname *name, uint32_t value)
{
    const struct matches *matches = ctx;
    enum name_kind kind = (enum name_kind)(value & ((1U << NAME_KIND_BITS) - 1));
    struct suffix_keys keys;
    if (kind != NAME_SUBTREE && kind != NAME_EXACT && kind != NAME_BELOW) {
        return true;
    }
    suffix_keys_init(&keys, name, matches->blocked->seed);
    for (unsigned labels = 0; labels <= keys.count; labels++) {
        const uint32_t *indexes = NULL;
        size_t count = order_blocked_names(matches->blocked, &keys, labels, &indexes);
        for (size_t i = 0; i < count; i++) {
            matches->matched[indexes[i]] = true;
        }
    }
    return true;
}

/* Is there something blocked above this exception or at it, or below it in the file? */
static void mark_file(const struct matches *matches)
{
    const struct order *order = matches->blocked->order;
    for (size_t i = 0; i < order->name_count; i++) {
        const struct order_name *name = &order->names[i];
        struct suffix_keys keys;
        if (name->kind == NAME_EXCEPT) {
            suffix_keys_init(&keys, &name->name, matches->blocked->seed);
            unsigned kinds = order_blocked_kinds_above(matches->blocked, &keys, keys.count);
            matches->matched[i] |= (kinds & ORDER_BLOCKED_BELOW) != 0;
        } else {
            mark_above((void *)matches, &name->name, (uint32_t)name->kind);
        }
    }
}

/* False if a list is too long to be searched. */
static bool mark_lists(struct matches *matches)
{
    const struct order *order = matches->blocked->order;
    for (size_t i = 0; i < order->list_count; i++) {
        if (name_list_count(order->lists[i].names) > SEARCHED_LIST_MAX) {
            return false;
        }
        suffix_map_each(name_list_map(order->lists[i].names), mark_above, matches);
    }
    return true;
}

/* Is there an exception written in the file that nothing has given a meaning? */
static bool any_unmatched(const struct order_reader *reader, const struct matches *matches)
{
    for (size_t i = 0; i < reader->order->name_count; i++) {
        if (reader->order->names[i].kind == NAME_EXCEPT && !matches->matched[i] &&
            yaml_node_present(reader->name_places[i])) {
            return true;
        }
    }
    return false;
}

static void warn_of_unmatched(struct order_reader *reader, const struct matches *matches)
{
    struct tally tally = {.rest = "more exceptions can never match"};
    for (size_t i = 0; i < reader->order->name_count; i++) {
        const struct order_name *name = &reader->order->names[i];
        char shown[DNAME_TEXT_MAX];
        if (name->kind == NAME_EXCEPT && !matches->matched[i] &&
            yaml_node_present(reader->name_places[i]) && tally_add(&tally)) {
            yaml_node_problem(reader->name_places[i], PROBLEM_WARNING, reader->problems,
                              "the exception %s can never match: the order blocks nothing at it, "
                              "above it or below it",
                              dname_format(&name->name, shown));
        }
    }
    tally_end(reader, &tally);
}

/* Where an order blocks more than the names it lists, any exception may have its use. */
static void check_exceptions(struct order_reader *reader, const struct order_blocked *blocked)
{
    struct matches matches = {.blocked = blocked};
    if (order_names_reach_beyond(reader->order)) {
        return;
    }
    matches.matched = calloc(reader->order->name_count + 1, sizeof *matches.matched);
    if (matches.matched == NULL) {
        order_reader_out_of_memory(reader, reader->root);
        return;
    }
    mark_file(&matches);
    if (any_unmatched(reader, &matches) && mark_lists(&matches)) {
        warn_of_unmatched(reader, &matches);
    }
    free(matches.matched);
}

/* ---- Ended items ---- */

static void check_ended(struct order_reader *reader)
{
    const struct order *order = reader->order;
    int64_t now = reader->env->now;
    struct tally tally = {.rest = "more items have ended"};
    if (order->status != ORDER_ACTIVE || order->end <= now) {
        return;
    }
    for (size_t i = 0; i < order->name_count; i++) {
        int64_t end = term_of(order, &order->names[i]).end;
        char shown[DNAME_TEXT_MAX], when[INSTANT_TEXT_MAX];
        if (end <= now && tally_add(&tally)) {
            yaml_node_problem(reader->name_places[i], PROBLEM_WARNING, reader->problems,
                              "the item %s ended at %s", dname_format(&order->names[i].name, shown),
                              instant_format(end, when));
        }
    }
    tally_end(reader, &tally);
}

/* ---- All together ---- */

/* While some of the names could not be read, nothing is said about all of them together. */
void order_checks_names(struct order_reader *reader)
{
    struct order_blocked blocked;
    check_any(reader);
    if (reader->problems->errors != reader->errors_before) {
        return;
    }
    if (!order_blocked_init(&blocked, reader->order, reader->env->seed)) {
        order_reader_out_of_memory(reader, reader->root);
        order_blocked_fini(&blocked);
        return;
    }
    check_target(reader, &blocked);
    check_covered(reader, &blocked);
    check_exceptions(reader, &blocked);
    check_ended(reader);
    if (reader->order->action == ORDER_NXDOMAIN) {
        order_nodata_check(reader, &blocked);
    }
    order_blocked_fini(&blocked);
}
