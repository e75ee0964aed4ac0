/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Any octets as an order file that is edited. An edit that is made keeps what was there: what only
 * adds leaves every octet in its place among the new ones; what was added is found, and can be
 * removed again; and an order that was valid says the same but for what was asked.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/order_edit.h"
#include "policy/order_peek.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void name_item(struct order_edit_item *item, enum name_kind kind, const char *text)
{
    char why[WHY_MAX];
    *item = (struct order_edit_item){.kind = kind, .text = text};
    assert(dname_parse(text, strlen(text), &item->name, why));
}

/* Are all octets of the old text in the new one, in their order? A byte order mark and a line end
 * come out as they went in. */
static void check_kept(const struct file_bytes *old, const struct file_bytes *new)
{
    size_t at = 0;
    for (size_t i = 0; i < new->size &&at < old->size; i++) {
        at += new->bytes[i] == old->bytes[at];
    }
    assert(at == old->size);
}

static bool apply(const struct file_bytes *file, const struct order_edit *edit,
                  struct file_bytes *out)
{
    struct problem_list problems;
    problem_list_init(&problems);
    bool done = order_edit_apply("f", file, edit, out, &problems);
    assert(done == (problems.errors == 0));
    assert(done == (out->bytes != NULL));
    problem_list_fini(&problems);
    return done;
}

static void check_held(const struct file_bytes *file, const struct order_edit_item *items,
                       size_t count, bool expected)
{
    struct problem_list problems;
    bool held[8] = {false};
    problem_list_init(&problems);
    struct order_peek *peek = order_peek_open("f", file, &problems);
    assert(peek != NULL && order_peek_held(peek, items, count, held));
    for (size_t i = 0; i < count; i++) {
        assert(held[i] == expected);
    }
    assert(strcmp(order_peek_newest(peek, "by"), "who: #1") == 0);
    order_peek_free(peek);
    problem_list_fini(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct order_edit_item items[4];
    struct file_bytes file, added, removed, lifted;
    const struct order_edit_entry entry = {"2026-01-01T00:00:00Z", "who: #1", "edit", NULL};
    name_item(&items[0], NAME_SUBTREE, "added.example");
    name_item(&items[1], NAME_SUBTREE,
              "b\xC3\xBC"
              "cher.example");
    name_item(&items[2], NAME_EXACT, "exact.example");
    name_item(&items[3], NAME_EXCEPT, "1.fine.example");
    items[1].ticket = "47: \"11\"";
    if (!file_bytes_copy(data, size, &file)) {
        return 0;
    }
    const struct order_edit add = {.add = items, .add_count = 4, .entry = entry};
    const struct order_edit take = {.remove = items, .remove_count = 4, .entry = entry};
    const struct order_edit lift = {.status = "lifted", .entry = entry};
    if (apply(&file, &add, &added)) {
        check_kept(&file, &added);
        check_held(&added, items, 4, true);
        if (apply(&added, &take, &removed)) {
            check_held(&removed, items, 4, false);
        }
        file_bytes_fini(&removed);
    }
    if (apply(&file, &lift, &lifted)) {
        check_held(&lifted, items, 0, false);
    }
    file_bytes_fini(&lifted);
    file_bytes_fini(&added);
    file_bytes_fini(&file);
    return 0;
}
