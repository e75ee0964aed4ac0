/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Blaming items (see order_blame.h). What was added stands at the end of its list, in the order of
 * the edit; an error's place lies between the start of its item and that of the next.
 */
#include "forwarder/cli/order_blame.h"

#include <stdlib.h>

#include "policy/yaml_text.h"

/* Where an item begins. */
struct item_place {
    unsigned line;
    unsigned column;
    size_t index;
    bool last; /* of its list: what comes behind it is no item */
};

struct item_places {
    struct item_place *items;
    size_t count;
};

static int compare_places(const void *a, const void *b)
{
    const struct item_place *left = a, *right = b;
    if (left->line != right->line) {
        return left->line < right->line ? -1 : 1;
    }
    return left->column < right->column ? -1 : left->column > right->column;
}

static size_t count_kind(const struct order_edit *edit, enum name_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < edit->add_count; i++) {
        count += edit->add[i].kind == kind;
    }
    return count;
}

/* Notes the places of the added items of one kind. */
static void note_kind(const struct order_edit *edit, struct yaml_node root, enum name_kind kind,
                      struct item_places *out)
{
    struct yaml_node list = yaml_node_find(root, order_edit_key(kind));
    size_t all = yaml_node_count(list), left = count_kind(edit, kind);
    for (size_t i = 0; left > 0 && left <= all && i < edit->add_count; i++) {
        if (edit->add[i].kind == kind) {
            struct item_place *place = &out->items[out->count++];
            *place = (struct item_place){.index = i, .last = left == 1};
            yaml_node_place(yaml_node_item(list, all - left), &place->line, &place->column);
            left--;
        }
    }
}

/* The item that a place lies in, or NULL. */
static const struct item_place *find(const struct item_places *places, const struct problem *error)
{
    const struct item_place at = {.line = error->line, .column = error->column};
    size_t low = 0, high = places->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_places(&places->items[middle], &at) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const struct item_place *found = low == 0 ? NULL : &places->items[low - 1];
    return found != NULL && (!found->last || found->line == error->line) ? found : NULL;
}

static bool blame_all(const struct item_places *places, const struct problem_list *problems,
                      order_blame_fn *blame, void *ctx)
{
    size_t blamed = 0;
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        const struct item_place *place =
            problem->level == PROBLEM_ERROR ? find(places, problem) : NULL;
        if (place != NULL) {
            blame(ctx, place->index, problem->text);
            blamed++;
        }
    }
    return blamed == problems->errors;
}

bool order_blame(const struct order_edit *edit, const struct file_bytes *bytes,
                 const struct problem_list *problems, order_blame_fn *blame, void *ctx)
{
    static const enum name_kind kinds[] = {NAME_SUBTREE, NAME_EXACT, NAME_EXCEPT};
    struct problem_list ignored;
    problem_list_init(&ignored);
    struct yaml_text *text = yaml_text_parse("", bytes->bytes, bytes->size, &ignored);
    struct item_places places = {.items = calloc(edit->add_count + 1, sizeof *places.items)};
    bool done = false;
    if (text != NULL && places.items != NULL) {
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
            note_kind(edit, yaml_text_root(text), kinds[i], &places);
        }
        qsort(places.items, places.count, sizeof *places.items, compare_places);
        done = blame_all(&places, problems, blame, ctx);
    }
    free(places.items);
    yaml_text_free(text);
    problem_list_fini(&ignored);
    return done;
}
