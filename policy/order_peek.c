/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Looking into order files (see order_peek.h).
 */
#include "policy/order_peek.h"

#include <stdlib.h>

#include "policy/suffix_map.h"
#include "policy/yaml_text.h"

#define SEED 0 /* of the map of names, which the operator gives */

struct order_peek {
    struct yaml_text *text;
    struct yaml_node root;
};

struct order_peek *order_peek_open(const char *name, const struct file_bytes *file,
                                   struct problem_list *problems)
{
    struct yaml_text *text = yaml_text_parse(name, file->bytes, file->size, problems);
    struct order_peek *peek = text == NULL ? NULL : calloc(1, sizeof *peek);
    if (peek == NULL) {
        if (text != NULL) {
            problem_list_add(problems, PROBLEM_ERROR, name, 0, 0, "out of memory");
        }
        yaml_text_free(text);
        return NULL;
    }
    *peek = (struct order_peek){text, yaml_text_root(text)};
    if (yaml_node_kind(peek->root) == YAML_TEXT_MAPPING) {
        return peek;
    }
    yaml_node_problem(peek->root, PROBLEM_ERROR, problems, "expected the keys of an order");
    order_peek_free(peek);
    return NULL;
}

void order_peek_free(struct order_peek *peek)
{
    if (peek != NULL) {
        yaml_text_free(peek->text);
        free(peek);
    }
}

static const char *text_of(struct yaml_node mapping, const char *key)
{
    struct yaml_node value = yaml_node_find(mapping, key);
    return yaml_node_present(value) ? yaml_node_scalar(value, NULL) : "";
}

const char *order_peek_id(const struct order_peek *peek)
{
    return text_of(peek->root, "id");
}

bool order_peek_status(const struct order_peek *peek, enum order_status *out,
                       struct problem_list *problems)
{
    struct yaml_node value = yaml_node_find(peek->root, "status");
    size_t len = 0;
    *out = ORDER_ACTIVE;
    if (!yaml_node_present(value)) {
        return true;
    }
    const char *text = yaml_node_scalar(value, &len);
    if (order_status_parse(text, len, out)) {
        return true;
    }
    char shown[YAML_QUOTE_MAX];
    yaml_node_problem(value, PROBLEM_ERROR, problems,
                      "expected active, suspended or lifted, not %s",
                      yaml_node_quote(value, shown));
    return false;
}

/* The index of each item is a value of its name. */
static struct suffix_map *map_items(const struct order_edit_item *items, size_t count)
{
    struct suffix_map_builder *builder = suffix_map_builder_new(SEED);
    for (size_t i = 0; builder != NULL && i < count; i++) {
        if (!suffix_map_builder_add(builder, &items[i].name, (uint32_t)i)) {
            suffix_map_builder_free(builder);
            return NULL;
        }
    }
    return builder == NULL ? NULL : suffix_map_seal(builder);
}

/* One kind of names being looked through for items. */
struct search {
    const struct suffix_map *map;
    const struct order_edit_item *items;
    enum name_kind kind;
    bool *held;
};

static void mark_held(const struct search *search, struct yaml_node item)
{
    struct dname name;
    struct suffix_keys keys;
    const uint32_t *found = NULL;
    if (!order_edit_name(item, &name)) {
        return;
    }
    suffix_keys_init(&keys, &name, SEED);
    size_t count = suffix_map_find(search->map, &keys, name.labels, &found);
    for (size_t i = 0; i < count; i++) {
        if (search->items[found[i]].kind == search->kind) {
            search->held[found[i]] = true;
        }
    }
}

bool order_peek_held(const struct order_peek *peek, const struct order_edit_item *items,
                     size_t count, bool *held)
{
    static const enum name_kind kinds[] = {NAME_SUBTREE, NAME_EXACT, NAME_EXCEPT};
    struct suffix_map *map = map_items(items, count);
    for (size_t kind = 0; map != NULL && kind < sizeof kinds / sizeof kinds[0]; kind++) {
        const struct search search = {map, items, kinds[kind], held};
        struct yaml_node list = yaml_node_find(peek->root, order_edit_key(kinds[kind]));
        bool is_list = yaml_node_present(list) && yaml_node_kind(list) == YAML_TEXT_SEQUENCE;
        for (size_t i = 0; is_list && i < yaml_node_count(list); i++) {
            mark_held(&search, yaml_node_item(list, i));
        }
    }
    suffix_map_free(map);
    return map != NULL;
}

const char *order_peek_list(const struct order_peek *peek, size_t index)
{
    struct yaml_node lists = yaml_node_find(peek->root, "lists");
    if (!yaml_node_present(lists) || yaml_node_kind(lists) != YAML_TEXT_SEQUENCE ||
        index >= yaml_node_count(lists)) {
        return NULL;
    }
    struct yaml_node list = yaml_node_item(lists, index);
    return yaml_node_kind(list) == YAML_TEXT_MAPPING ? text_of(list, "file") : "";
}

const char *order_peek_newest(const struct order_peek *peek, const char *key)
{
    struct yaml_node history = yaml_node_find(peek->root, "history");
    bool is_list = yaml_node_present(history) && yaml_node_kind(history) == YAML_TEXT_SEQUENCE;
    for (size_t i = is_list ? yaml_node_count(history) : 0; i > 0; i--) {
        const char *text = text_of(yaml_node_item(history, i - 1), key);
        if (text[0] != '\0') {
            return text;
        }
    }
    return "";
}
