/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An item of lists says where a file is and how it is written; it is opened by the function that
 * came with the reading, which sees by the name whether it is packed.
 */
#include "policy/order_lists.h"

#include <stdlib.h>
#include <string.h>

#define LIST_PATH_MAX 1024

/* One item of lists, as written. */
struct list_item {
    char *path; /* owned */
    enum name_list_format format;
    bool fail; /* on-error: fail */
};

static void read_file(struct order_reader *reader, struct yaml_node value, void *out)
{
    struct list_item *item = out;
    item->path = order_reader_copy(reader, value, LIST_PATH_MAX);
}

static void read_format(struct order_reader *reader, struct yaml_node value, void *out)
{
    static const char *const words[] = {
        [NAME_LIST_NAMES] = "names",
        [NAME_LIST_HOSTS] = "hosts",
        [NAME_LIST_RPZ] = "rpz",
    };
    struct list_item *item = out;
    const char *text = yaml_node_scalar(value, NULL);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i], text) == 0) {
            item->format = (enum name_list_format)i;
            return;
        }
    }
    char shown[YAML_QUOTE_MAX];
    yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                      "expected the format names, hosts or rpz, not %s",
                      yaml_node_quote(value, shown));
}

static void read_on_error(struct order_reader *reader, struct yaml_node value, void *out)
{
    struct list_item *item = out;
    const char *text = yaml_node_scalar(value, NULL);
    item->fail = strcmp(text, "fail") == 0;
    if (!item->fail && strcmp(text, "skip") != 0) {
        char shown[YAML_QUOTE_MAX];
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems, "expected skip or fail, not %s",
                          yaml_node_quote(value, shown));
    }
}

static const struct order_part_key list_keys[] = {
    {"file", read_file, true},
    {"format", read_format, true},
    {"on-error", read_on_error, false},
};
static const struct order_part list_part = {
    .noun = "list",
    .noun_with_article = "a list",
    .expected = "file, format or on-error",
    .keys = list_keys,
    .count = sizeof list_keys / sizeof *list_keys,
};

/* Opens the list by the caller's function, which tells what is wrong in it; here is told which
 * order fails for it. On success the path has moved into the order. */
static void open_list(struct order_reader *reader, struct yaml_node place, struct list_item *item)
{
    struct order_list *list = &reader->order->lists[reader->order->list_count];
    const struct name_list_options options = {
        .name = item->path,
        .format = item->format,
        .guard = reader->env->guard,
        .wide = reader->wide,
        .refuse_is_error = item->fail,
        .seed = reader->env->seed,
    };
    list->names =
        reader->env->open_list(reader->env->ctx, &options, list->sha256, reader->problems);
    if (list->names != NULL) {
        list->path = item->path;
        item->path = NULL;
        reader->order->list_count++;
    } else {
        yaml_node_problem(place, PROBLEM_ERROR, reader->problems, "this list cannot be used");
    }
}

void order_lists_read(struct order_reader *reader, const struct order_key *key,
                      struct yaml_node value)
{
    (void)key;
    if (!order_reader_expect(reader, value, YAML_TEXT_SEQUENCE)) {
        return;
    }
    size_t count = yaml_node_count(value);
    reader->order->lists = calloc(count + 1, sizeof *reader->order->lists);
    if (reader->order->lists == NULL) {
        order_reader_out_of_memory(reader, value);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct list_item item = {0};
        struct yaml_node node = yaml_node_item(value, i);
        if (order_reader_part(reader, node, &list_part, &item)) {
            open_list(reader, yaml_node_find(node, "file"), &item);
        }
        free(item.path);
    }
}
