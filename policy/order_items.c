/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The dates of an item lie within those of its order: what they would say outside of them could
 * never be, so somebody meant something else. Each item with dates brings a term; equal ones are
 * joined by sorting once all are there, since a file may have very many.
 */
#include "policy/order_items.h"

#include <stdlib.h>

#include "policy/order_times.h"

#define TICKET_MAX 100

/* A mapping as it is read. */
struct fields {
    struct order_item *item;
    struct order_term term;
    struct yaml_node effective; /* absent: not given, or refused */
    struct yaml_node until;
    bool named;
};

static void read_name(struct order_reader *reader, struct yaml_node value, void *out)
{
    struct fields *fields = out;
    fields->item->place = value;
    fields->named = order_reader_name(reader, value, &fields->item->name.name);
}

static void read_effective(struct order_reader *reader, struct yaml_node value, void *out)
{
    struct fields *fields = out;
    if (order_times_start(reader, value, &fields->term.effective)) {
        fields->effective = value;
    }
}

static void read_until(struct order_reader *reader, struct yaml_node value, void *out)
{
    struct fields *fields = out;
    if (order_times_end(reader, value, &fields->term.end)) {
        fields->until = value;
    }
}

static void read_ticket(struct order_reader *reader, struct yaml_node value, void *out)
{
    struct fields *fields = out;
    fields->item->name.ticket = order_reader_copy(reader, value, TICKET_MAX);
}

static const struct order_part_key item_keys[] = {
    {"name", read_name, true},
    {"effective", read_effective, false},
    {"until", read_until, false},
    {"ticket", read_ticket, false},
};
static const struct order_part item_part = {
    .noun = "item",
    .noun_with_article = "an item",
    .expected = "name, effective, until or ticket",
    .keys = item_keys,
    .count = sizeof item_keys / sizeof *item_keys,
};

/* What is wrong with the dates of an item, and at which date; NULL: nothing. */
static const char *judge_dates(const struct order *order, const struct fields *fields,
                               struct yaml_node *place)
{
    const struct order_term *term = &fields->term;
    *place = fields->effective;
    if (yaml_node_present(fields->effective) && term->effective < order->effective) {
        return "the item would begin before its order";
    }
    if (yaml_node_present(fields->effective) && term->effective >= order->end) {
        return "the item would begin after its order has ended";
    }
    *place = fields->until;
    if (term->end <= term->effective) {
        return "the item would end before it begins";
    }
    if (yaml_node_present(fields->until) && term->end <= order->effective) {
        return "the item would end before its order begins";
    }
    if (yaml_node_present(fields->until) && term->end > order->end) {
        return "the item would end after its order";
    }
    return NULL;
}

/* Adds the term of an item that has one. False after a problem. */
static bool add_term(struct order_reader *reader, const struct fields *fields)
{
    struct order *order = reader->order;
    struct yaml_node place;
    if (!yaml_node_present(fields->effective) && !yaml_node_present(fields->until)) {
        return true;
    }
    const char *wrong = judge_dates(order, fields, &place);
    if (wrong != NULL) {
        yaml_node_problem(place, PROBLEM_ERROR, reader->problems, "%s", wrong);
        return false;
    }
    if (order->term_count == reader->term_capacity) {
        size_t capacity = reader->term_capacity * 2 + 16;
        struct order_term *terms = reallocarray(order->terms, capacity, sizeof *terms);
        if (terms == NULL) {
            order_reader_out_of_memory(reader, fields->item->place);
            return false;
        }
        order->terms = terms;
        reader->term_capacity = capacity;
    }
    order->terms[order->term_count++] = fields->term;
    fields->item->name.term = order->term_count;
    return true;
}

bool order_items_read(struct order_reader *reader, struct yaml_node node, struct order_item *out)
{
    struct fields fields = {
        .item = out,
        .term = {.effective = ORDER_ALWAYS, .end = ORDER_FOR_GOOD},
    };
    *out = (struct order_item){.place = node};
    if (yaml_node_kind(node) != YAML_TEXT_MAPPING) {
        return order_reader_name(reader, node, &out->name.name);
    }
    if (order_reader_part(reader, node, &item_part, &fields) && add_term(reader, &fields)) {
        return true;
    }
    free(out->name.ticket);
    out->name.ticket = NULL;
    return false;
}

/* ---- Equal terms ---- */

static int compare_instants(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* A qsort function over pointers to terms. */
static int compare_terms(const void *a, const void *b)
{
    const struct order_term *left = *(const struct order_term *const *)a;
    const struct order_term *right = *(const struct order_term *const *)b;
    int order = compare_instants(left->effective, right->effective);
    return order != 0 ? order : compare_instants(left->end, right->end);
}

/* Fills joined with one of each of the sorted terms, and place with where each one went. Returns
 * how many there are. */
static size_t join_terms(const struct order *order, const struct order_term **sorted,
                         struct order_term *joined, size_t *place)
{
    size_t count = 0;
    for (size_t i = 0; i < order->term_count; i++) {
        if (i == 0 || compare_terms(&sorted[i - 1], &sorted[i]) != 0) {
            joined[count++] = *sorted[i];
        }
        place[sorted[i] - order->terms] = count;
    }
    return count;
}

bool order_items_share_terms(struct order_reader *reader)
{
    struct order *order = reader->order;
    size_t count = order->term_count;
    if (count == 0) {
        return true;
    }
    const struct order_term **sorted = calloc(count, sizeof *sorted);
    struct order_term *joined = calloc(count, sizeof *joined);
    size_t *place = calloc(count, sizeof *place);
    bool done = sorted != NULL && joined != NULL && place != NULL;
    if (done) {
        for (size_t i = 0; i < count; i++) {
            sorted[i] = &order->terms[i];
        }
        qsort(sorted, count, sizeof *sorted, compare_terms);
        order->term_count = join_terms(order, sorted, joined, place);
        for (size_t i = 0; i < order->name_count; i++) {
            struct order_name *name = &order->names[i];
            name->term = name->term == 0 ? 0 : place[name->term - 1];
        }
        free(order->terms);
        order->terms = joined;
        joined = NULL;
    } else {
        order_reader_out_of_memory(reader, reader->root);
    }
    free(sorted);
    free(joined);
    free(place);
    return done;
}
