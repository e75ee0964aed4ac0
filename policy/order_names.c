/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Names of the order file go through the guard here, names of lists in policy/name_list.c; what the
 * guard refuses here is an error. An order that may block the root gets the protected names as
 * exceptions, so that nothing protected is ever blocked.
 */
#include "policy/order_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/guard.h"
#include "policy/suffix_map.h"

#define LIST_PATH_MAX 1024

/* ---- Names of the file ---- */

static bool add_name(struct order_reader *reader, enum name_kind kind, const struct dname *name)
{
    struct order *order = reader->order;
    if (order->name_count == reader->name_capacity) {
        size_t capacity = reader->name_capacity == 0 ? 16 : reader->name_capacity * 2;
        struct order_name *names = reallocarray(order->names, capacity, sizeof *names);
        if (names == NULL) {
            order_reader_out_of_memory(reader, reader->root);
            return false;
        }
        order->names = names;
        reader->name_capacity = capacity;
    }
    order->names[order->name_count++] = (struct order_name){.kind = kind, .name = *name};
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

static bool parse_name(struct order_reader *reader, struct yaml_node node, struct dname *out)
{
    char why[WHY_MAX];
    char shown[YAML_QUOTE_MAX];
    size_t len = 0;
    if (!order_reader_expect(reader, node, YAML_TEXT_SCALAR)) {
        return false;
    }
    const char *text = yaml_node_scalar(node, &len);
    if (dname_parse(text, len, out, why)) {
        return true;
    }
    yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "%s: %s", yaml_node_quote(node, shown),
                      why);
    return false;
}

static bool listed_wide(const struct order_reader *reader, const struct dname *name)
{
    for (size_t i = 0; i < reader->wide_count; i++) {
        if (dname_equal(&reader->wide[i], name)) {
            return true;
        }
    }
    return false;
}

static bool guard_allows(struct order_reader *reader, struct yaml_node node,
                         const struct dname *name)
{
    char why[WHY_MAX];
    char sentence[WHY_MAX + 64];
    switch (guard_judge(reader->env->guard, name, why)) {
    case GUARD_FREE:
        return true;
    case GUARD_WIDE:
        if (listed_wide(reader, name)) {
            return true;
        }
        snprintf(sentence, sizeof sentence, "%s, and allow-wide does not list it", why);
        refuse_name(reader, node, name, sentence);
        return false;
    case GUARD_PROTECTED:
        refuse_name(reader, node, name, why);
        return false;
    }
    return false;
}

/* An item of names may be a mapping; this build knows none of what it may hold but the name. */
static bool item_name(struct order_reader *reader, struct yaml_node item, struct yaml_node *out)
{
    *out = item;
    if (yaml_node_kind(item) != YAML_TEXT_MAPPING) {
        return true;
    }
    *out = yaml_node_find(item, "name");
    if (!yaml_node_present(*out)) {
        yaml_node_problem(item, PROBLEM_ERROR, reader->problems,
                          "the key 'name' is missing in this item");
        return false;
    }
    for (size_t i = 0; i < yaml_node_count(item); i++) {
        struct yaml_node key = yaml_node_key(item, i);
        if (strcmp(yaml_node_scalar(key, NULL), "name") != 0) {
            char shown[YAML_QUOTE_MAX];
            yaml_node_problem(key, PROBLEM_ERROR, reader->problems,
                              "the key %s of a name is not supported by this build",
                              yaml_node_quote(key, shown));
        }
    }
    return true;
}

static bool add_protected(void *ctx, const struct dname *name)
{
    return add_name(ctx, NAME_EXCEPT, name);
}

static void read_names(struct order_reader *reader, struct yaml_node value, enum name_kind kind)
{
    if (!order_reader_expect(reader, value, YAML_TEXT_SEQUENCE)) {
        return;
    }
    for (size_t i = 0; i < yaml_node_count(value); i++) {
        struct yaml_node node = yaml_node_item(value, i);
        struct dname name;
        if ((kind == NAME_SUBTREE && !item_name(reader, node, &node)) ||
            !parse_name(reader, node, &name) ||
            (kind != NAME_EXCEPT && !guard_allows(reader, node, &name)) ||
            !add_name(reader, kind, &name)) {
            continue;
        }
        if (kind == NAME_SUBTREE && name.labels == 0) {
            guard_each_protected(reader->env->guard, add_protected, reader);
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
    size_t len = 0;
    struct network network;
    char why[WHY_MAX];
    const char *text = yaml_node_scalar(item, &len);
    if (network_parse(text, len, &network, why, sizeof why)) {
        yaml_node_problem(item, PROBLEM_ERROR, reader->problems,
                          "a network here allows wide 'answers': these are not supported by this "
                          "build");
    } else if (parse_name(reader, item, &reader->wide[reader->wide_count])) {
        reader->wide_count++;
    }
}

void order_names_allow_wide(struct order_reader *reader, const struct order_key *key,
                            struct yaml_node value)
{
    (void)key;
    if (!order_reader_expect(reader, value, YAML_TEXT_SEQUENCE)) {
        return;
    }
    size_t count = yaml_node_count(value);
    reader->wide = calloc(count + 1, sizeof *reader->wide);
    if (reader->wide == NULL) {
        order_reader_out_of_memory(reader, value);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        read_wide(reader, yaml_node_item(value, i));
    }
}

/* ---- Lists ---- */

/* One item of lists, as written. */
struct list_item {
    char *path; /* owned */
    bool fail;  /* on-error: fail */
};

static bool ends_in(const char *text, const char *end)
{
    size_t text_len = strlen(text);
    size_t end_len = strlen(end);
    return text_len >= end_len && strcmp(text + text_len - end_len, end) == 0;
}

static void read_list_file(struct order_reader *reader, struct yaml_node value,
                           struct list_item *out)
{
    const char *text = yaml_node_scalar(value, NULL);
    if (ends_in(text, ".gz") || ends_in(text, ".zst")) {
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "a compressed list is not supported by this build");
        return;
    }
    out->path = order_reader_copy(reader, value, LIST_PATH_MAX);
}

static void read_list_format(struct order_reader *reader, struct yaml_node value,
                             struct list_item *out)
{
    (void)out;
    char shown[YAML_QUOTE_MAX];
    const char *text = yaml_node_scalar(value, NULL);
    if (strcmp(text, "hosts") == 0 || strcmp(text, "rpz") == 0) {
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "the format '%s' is not supported by this build", text);
    } else if (strcmp(text, "names") != 0) {
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "expected the format names, not %s", yaml_node_quote(value, shown));
    }
}

static void read_list_on_error(struct order_reader *reader, struct yaml_node value,
                               struct list_item *out)
{
    char shown[YAML_QUOTE_MAX];
    const char *text = yaml_node_scalar(value, NULL);
    out->fail = strcmp(text, "fail") == 0;
    if (!out->fail && strcmp(text, "skip") != 0) {
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems, "expected skip or fail, not %s",
                          yaml_node_quote(value, shown));
    }
}

static const struct list_key {
    const char *name;
    void (*read)(struct order_reader *reader, struct yaml_node value, struct list_item *out);
    bool required;
} list_keys[] = {
    {"file", read_list_file, true},
    {"format", read_list_format, true},
    {"on-error", read_list_on_error, false},
};
#define LIST_KEYS (sizeof list_keys / sizeof *list_keys)

static const struct list_key *find_list_key(const char *name)
{
    for (size_t i = 0; i < LIST_KEYS; i++) {
        if (strcmp(list_keys[i].name, name) == 0) {
            return &list_keys[i];
        }
    }
    return NULL;
}

static bool read_list_item(struct order_reader *reader, struct yaml_node item,
                           struct list_item *out)
{
    size_t before = reader->problems->errors;
    if (!order_reader_expect(reader, item, YAML_TEXT_MAPPING)) {
        return false;
    }
    for (size_t i = 0; i < yaml_node_count(item); i++) {
        struct yaml_node key = yaml_node_key(item, i);
        const struct list_key *known = find_list_key(yaml_node_scalar(key, NULL));
        if (known == NULL) {
            char shown[YAML_QUOTE_MAX];
            yaml_node_problem(key, PROBLEM_ERROR, reader->problems,
                              "a list has no key %s: expected file, format or on-error",
                              yaml_node_quote(key, shown));
        } else {
            known->read(reader, yaml_node_value(item, i), out);
        }
    }
    for (size_t i = 0; i < LIST_KEYS; i++) {
        if (list_keys[i].required && !yaml_node_present(yaml_node_find(item, list_keys[i].name))) {
            yaml_node_problem(item, PROBLEM_ERROR, reader->problems,
                              "the key '%s' of this list is missing", list_keys[i].name);
        }
    }
    return reader->problems->errors == before;
}

/* Opens the list by the caller's function, which tells what is wrong in it; here is told which
 * order fails for it. On success the path has moved into the order. */
static void open_list(struct order_reader *reader, struct yaml_node place, struct list_item *item)
{
    struct order_list *list = &reader->order->lists[reader->order->list_count];
    const struct name_list_options options = {
        .name = item->path,
        .guard = reader->env->guard,
        .wide = reader->wide,
        .wide_count = reader->wide_count,
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

void order_names_lists(struct order_reader *reader, const struct order_key *key,
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
        if (read_list_item(reader, node, &item)) {
            open_list(reader, yaml_node_find(node, "file"), &item);
        }
        free(item.path);
    }
}

/* ---- All together ---- */

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
    yaml_node_problem(reader->root, PROBLEM_ERROR, reader->problems,
                      "this order blocks nothing: expected names, exact or lists");
}

/* The names of an order, its lists included, to be asked what lies above a name. */
struct blocked {
    struct suffix_map *names; /* of the file; values are kinds */
    const struct order *order;
    uint64_t seed;
    struct dname free; /* the first exact name or exception that leaves names free */
    enum name_kind kind;
    bool found;
};

static bool blocked_init(struct blocked *blocked, const struct order_reader *reader)
{
    const struct order *order = reader->order;
    *blocked = (struct blocked){.order = order, .seed = reader->env->seed};
    struct suffix_map_builder *builder = suffix_map_builder_new(blocked->seed);
    for (size_t i = 0; builder != NULL && i < order->name_count; i++) {
        const struct order_name *name = &order->names[i];
        if (!suffix_map_builder_add(builder, &name->name, (uint32_t)name->kind)) {
            suffix_map_builder_free(builder);
            return false;
        }
    }
    blocked->names = builder != NULL ? suffix_map_seal(builder) : NULL;
    return blocked->names != NULL;
}

static bool map_has_subtree(const struct suffix_map *map, const struct suffix_keys *keys,
                            unsigned labels)
{
    const uint32_t *kinds = NULL;
    /* Kinds ascend, and NAME_SUBTREE is the first of them. */
    return suffix_map_find(map, keys, labels, &kinds) > 0 && kinds[0] == NAME_SUBTREE;
}

/* Is some suffix of at most this many labels blocked with all below it? */
static bool blocked_within(const struct blocked *blocked, const struct suffix_keys *keys,
                           unsigned most_labels)
{
    for (unsigned labels = 0; labels <= most_labels; labels++) {
        if (map_has_subtree(blocked->names, keys, labels)) {
            return true;
        }
        for (size_t i = 0; i < blocked->order->list_count; i++) {
            if (map_has_subtree(name_list_map(blocked->order->lists[i].names), keys, labels)) {
                return true;
            }
        }
    }
    return false;
}

/* Looks at one name of the order; false, to end a visit, once one leaves names free: an exact name
 * that nothing else covers, or an exception strictly below a blocked name. */
static bool visit_name(void *ctx, const struct dname *name, uint32_t value)
{
    struct blocked *blocked = ctx;
    struct suffix_keys keys;
    suffix_keys_init(&keys, name, blocked->seed);
    if (value == NAME_EXACT) {
        blocked->found = !blocked_within(blocked, &keys, name->labels);
    } else if (value == NAME_EXCEPT && name->labels > 0) {
        blocked->found = blocked_within(blocked, &keys, name->labels - 1U);
    }
    if (blocked->found) {
        blocked->free = *name;
        blocked->kind = (enum name_kind)value;
    }
    return !blocked->found;
}

static void warn_of_nodata(struct order_reader *reader, struct yaml_node node,
                           const struct blocked *blocked)
{
    char shown[DNAME_TEXT_MAX];
    dname_format(&blocked->free, shown);
    if (blocked->kind == NAME_EXACT) {
        yaml_node_problem(node, PROBLEM_WARNING, reader->problems,
                          "nxdomain becomes nodata at %s (to name one): names below it stay free",
                          shown);
    } else {
        yaml_node_problem(node, PROBLEM_WARNING, reader->problems,
                          "nxdomain becomes nodata above %s (to name one), which stays free",
                          shown);
    }
}

static void check_file_names(struct order_reader *reader, struct blocked *blocked,
                             enum name_kind kind, struct yaml_node node)
{
    const struct order *order = reader->order;
    for (size_t i = 0; i < order->name_count; i++) {
        if (order->names[i].kind == kind &&
            !visit_name(blocked, &order->names[i].name, (uint32_t)kind)) {
            warn_of_nodata(reader, node, blocked);
            blocked->found = false;
            return;
        }
    }
}

static void check_list_names(struct order_reader *reader, struct blocked *blocked)
{
    struct yaml_node lists = order_reader_find(reader, "lists");
    for (size_t i = 0; i < reader->order->list_count; i++) {
        suffix_map_each(name_list_map(reader->order->lists[i].names), visit_name, blocked);
        if (blocked->found) {
            warn_of_nodata(reader, lists, blocked);
            return;
        }
    }
}

static void check_nxdomain(struct order_reader *reader)
{
    struct blocked blocked;
    if (!blocked_init(&blocked, reader)) {
        order_reader_out_of_memory(reader, reader->root);
        return;
    }
    struct yaml_node names = order_reader_find(reader, "names");
    struct yaml_node except = order_reader_find(reader, "except");
    check_file_names(reader, &blocked, NAME_EXACT, order_reader_find(reader, "exact"));
    check_file_names(reader, &blocked, NAME_EXCEPT, yaml_node_present(except) ? except : names);
    check_list_names(reader, &blocked);
    suffix_map_free(blocked.names);
}

void order_names_check(struct order_reader *reader)
{
    check_any(reader);
    if (reader->order->action == ORDER_NXDOMAIN) {
        check_nxdomain(reader);
    }
}
