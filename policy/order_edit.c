/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Editing order files (see order_edit.h). Invariant: bytes leave here only if, read again, they
 * hold all that the file held, what was asked for, and nothing else.
 */
#include "policy/order_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/suffix_map.h"
#include "policy/yaml_edit.h"
#include "policy/yaml_scalar.h"
#include "policy/yaml_text.h"

#define SEED 0 /* of the map of names to remove, which the operator gives */

/* The keys in the order in which people write them; a new key goes behind those before it. */
static const char *const key_order[] = {
    "id",       "authority", "title",           "reference",       "legal-basis", "issued",
    "received", "deadline",  "timezone",        "effective",       "until",       "review",
    "status",   "scope",     "except-networks", "include-unknown", "action",      "addresses",
    "target",   "message",   "disclose",        "public-record",   "names",       "exact",
    "except",
};
#define KEYS (sizeof key_order / sizeof key_order[0])

static const enum name_kind kinds[] = {NAME_SUBTREE, NAME_EXACT, NAME_EXCEPT};
#define KINDS (sizeof kinds / sizeof kinds[0])

const char *order_edit_key(enum name_kind kind)
{
    switch (kind) {
    case NAME_SUBTREE:
        return "names";
    case NAME_EXACT:
        return "exact";
    case NAME_EXCEPT:
    case NAME_FREE_BELOW:
    case NAME_BELOW:
    case NAME_PASS:
    case NAME_PASS_BELOW:
        break;
    }
    return "except";
}

/* One file being edited. */
struct editing {
    const char *name; /* for problems */
    const struct order_edit *asked;
    struct problem_list *problems;
    struct yaml_node root;
    struct text_splices splices;
    struct suffix_map *removed; /* kinds of the names to remove; NULL: none */
};

static bool say(const struct editing *editing, const char *text)
{
    problem_list_add(editing->problems, PROBLEM_ERROR, editing->name, 0, 0, "%s", text);
    return false;
}

/* ---- Items as text ---- */

static void print_member(FILE *out, const char *key, const char *value)
{
    if (value != NULL) {
        fprintf(out, ", %s: ", key);
        yaml_scalar_print(value, out);
    }
}

static void print_item(const struct order_edit_item *item, FILE *out)
{
    if (item->ticket == NULL && item->effective == NULL && item->until == NULL) {
        yaml_scalar_print(item->text, out);
        return;
    }
    fputs("{name: ", out);
    yaml_scalar_print(item->text, out);
    print_member(out, "effective", item->effective);
    print_member(out, "until", item->until);
    print_member(out, "ticket", item->ticket);
    fputc('}', out);
}

/* A yaml_edit_item_fn of one entry. An RFC 3339 time needs no quotes. */
static void print_entry(void *ctx, size_t index, FILE *out)
{
    const struct order_edit_entry *entry = ctx;
    (void)index;
    fprintf(out, "{at: %s", entry->at);
    print_member(out, "by", entry->by);
    print_member(out, "what", entry->what);
    print_member(out, "reason", entry->reason);
    fputc('}', out);
}

/* Those of the asked items that are of one kind. */
struct chosen {
    const struct order_edit_item **items;
    size_t count;
};

/* A yaml_edit_item_fn. */
static void print_chosen(void *ctx, size_t index, FILE *out)
{
    const struct chosen *chosen = ctx;
    print_item(chosen->items[index], out);
}

static bool choose(const struct order_edit *asked, enum name_kind kind, struct chosen *out)
{
    *out = (struct chosen){.items = calloc(asked->add_count + 1, sizeof(void *))};
    for (size_t i = 0; out->items != NULL && i < asked->add_count; i++) {
        if (asked->add[i].kind == kind) {
            out->items[out->count++] = &asked->add[i];
        }
    }
    return out->items != NULL;
}

/* ---- The changes ---- */

/* The index of a key; the count of keys if it is not there. */
static size_t find_key(struct yaml_node root, const char *key)
{
    size_t i = 0;
    while (i < yaml_node_count(root) &&
           strcmp(yaml_node_scalar(yaml_node_key(root, i), NULL), key) != 0) {
        i++;
    }
    return i;
}

/* The pair behind which a new key stands best: the last key for one without a place of its own. */
static size_t place_for(struct yaml_node root, const char *key)
{
    size_t count = yaml_node_count(root), rank = 0, best = count;
    while (rank < KEYS && strcmp(key_order[rank], key) != 0) {
        rank++;
    }
    for (size_t i = 0; rank < KEYS && i < rank; i++) {
        size_t at = find_key(root, key_order[i]);
        best = at < count ? at : best;
    }
    return best < count ? best : count - 1;
}

/* The value of a key if it is of this kind, or absent; else an error. */
static bool find_value(const struct editing *editing, const char *key, enum yaml_kind kind,
                       struct yaml_node *out)
{
    *out = yaml_node_find(editing->root, key);
    if (!yaml_node_present(*out) || yaml_node_kind(*out) == kind) {
        return true;
    }
    char shown[YAML_QUOTE_MAX];
    yaml_node_problem(*out, PROBLEM_ERROR, editing->problems, "expected %s, not %s",
                      kind == YAML_TEXT_SCALAR ? "text" : "a list", yaml_node_quote(*out, shown));
    return false;
}

static bool append(struct editing *editing, const char *key, const struct yaml_edit_items *items)
{
    struct yaml_node value;
    if (!find_value(editing, key, YAML_TEXT_SEQUENCE, &value)) {
        return false;
    }
    if (yaml_node_present(value)) {
        yaml_edit_append(&editing->splices, value, items);
        return true;
    }
    const struct yaml_edit_pair pair = {.key = key, .items = *items};
    yaml_edit_insert(&editing->splices, editing->root, place_for(editing->root, key), &pair);
    return true;
}

static bool add_names(struct editing *editing)
{
    bool done = true;
    for (size_t i = 0; done && i < KINDS; i++) {
        struct chosen chosen;
        if (!choose(editing->asked, kinds[i], &chosen)) {
            return say(editing, "out of memory");
        }
        const struct yaml_edit_items items = {chosen.count, print_chosen, &chosen};
        done = chosen.count == 0 || append(editing, order_edit_key(kinds[i]), &items);
        free(chosen.items);
    }
    return done;
}

bool order_edit_name(struct yaml_node item, struct dname *out)
{
    bool mapping = yaml_node_kind(item) == YAML_TEXT_MAPPING;
    struct yaml_node scalar = mapping ? yaml_node_find(item, "name") : item;
    char why[WHY_MAX];
    size_t len = 0;
    const char *text = yaml_node_present(scalar) ? yaml_node_scalar(scalar, &len) : "";
    return dname_parse(text, len, out, why);
}

/* Is the name of this item among those to remove? */
static bool is_removed(const struct editing *editing, enum name_kind kind, struct yaml_node item)
{
    struct dname name;
    struct suffix_keys keys;
    const uint32_t *found = NULL;
    if (!order_edit_name(item, &name)) {
        return false;
    }
    suffix_keys_init(&keys, &name, SEED);
    size_t count = suffix_map_find(editing->removed, &keys, name.labels, &found);
    for (size_t i = 0; i < count; i++) {
        if (found[i] == (uint32_t)kind) {
            return true;
        }
    }
    return false;
}

static bool remove_kind(struct editing *editing, enum name_kind kind)
{
    size_t index = find_key(editing->root, order_edit_key(kind)), found = 0;
    struct yaml_node value;
    if (!find_value(editing, order_edit_key(kind), YAML_TEXT_SEQUENCE, &value)) {
        return false;
    }
    bool *gone = calloc(yaml_node_count(value) + 1, sizeof *gone);
    for (size_t i = 0; gone != NULL && i < yaml_node_count(value); i++) {
        gone[i] = is_removed(editing, kind, yaml_node_item(value, i));
        found += gone[i];
    }
    if (found > 0) {
        yaml_edit_remove(&editing->splices, yaml_node_key(editing->root, index), value, gone);
    }
    free(gone);
    return gone != NULL || say(editing, "out of memory");
}

static bool map_removed(struct editing *editing)
{
    struct suffix_map_builder *builder = suffix_map_builder_new(SEED);
    for (size_t i = 0; builder != NULL && i < editing->asked->remove_count; i++) {
        const struct order_edit_item *item = &editing->asked->remove[i];
        if (!suffix_map_builder_add(builder, &item->name, (uint32_t)item->kind)) {
            suffix_map_builder_free(builder);
            builder = NULL;
        }
    }
    editing->removed = builder == NULL ? NULL : suffix_map_seal(builder);
    return editing->removed != NULL || say(editing, "out of memory");
}

static bool remove_names(struct editing *editing)
{
    if (editing->asked->remove_count == 0) {
        return true;
    }
    bool done = map_removed(editing);
    for (size_t i = 0; done && i < KINDS; i++) {
        done = remove_kind(editing, kinds[i]);
    }
    return done;
}

static bool set_status(struct editing *editing)
{
    const char *word = editing->asked->status;
    struct yaml_node value;
    if (word == NULL) {
        return true;
    }
    if (!find_value(editing, "status", YAML_TEXT_SCALAR, &value)) {
        return false;
    }
    if (yaml_node_present(value)) {
        yaml_edit_set(&editing->splices, value, word);
        return true;
    }
    const struct yaml_edit_pair pair = {.key = "status", .word = word};
    yaml_edit_insert(&editing->splices, editing->root, place_for(editing->root, "status"), &pair);
    return true;
}

static bool note(struct editing *editing)
{
    struct order_edit_entry entry = editing->asked->entry;
    const struct yaml_edit_items items = {1, print_entry, &entry};
    return append(editing, "history", &items);
}

/* ---- Was that all, and nothing else? ---- */

static bool same_scalar(struct yaml_node a, struct yaml_node b)
{
    size_t a_len = 0, b_len = 0;
    const char *a_text = yaml_node_scalar(a, &a_len), *b_text = yaml_node_scalar(b, &b_len);
    /* A block scalar at the end of a file has one line end more once its last line has one. */
    while (a_len > 0 && a_text[a_len - 1] == '\n') {
        a_len--;
    }
    while (b_len > 0 && b_text[b_len - 1] == '\n') {
        b_len--;
    }
    return a_len == b_len && memcmp(a_text, b_text, a_len) == 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): yaml_text bounds the depth */
static bool same_node(struct yaml_node a, struct yaml_node b)
{
    enum yaml_kind kind = yaml_node_kind(a);
    size_t count = yaml_node_count(a);
    bool same = yaml_node_kind(b) == kind && yaml_node_count(b) == count;
    if (same && kind == YAML_TEXT_SCALAR) {
        return same_scalar(a, b);
    }
    for (size_t i = 0; same && i < count; i++) {
        same = kind == YAML_TEXT_SEQUENCE
                   ? same_node(yaml_node_item(a, i), yaml_node_item(b, i))
                   : same_scalar(yaml_node_key(a, i), yaml_node_key(b, i)) &&
                         same_node(yaml_node_value(a, i), yaml_node_value(b, i));
    }
    return same;
}

static bool holds(struct yaml_node scalar, const char *text)
{
    bool present = yaml_node_present(scalar) && yaml_node_kind(scalar) == YAML_TEXT_SCALAR;
    return text == NULL ? !yaml_node_present(scalar)
                        : present && strcmp(yaml_node_scalar(scalar, NULL), text) == 0;
}

static bool is_item(struct yaml_node node, const struct order_edit_item *item)
{
    if (yaml_node_kind(node) != YAML_TEXT_MAPPING) {
        return holds(node, item->text) && item->ticket == NULL && item->effective == NULL &&
               item->until == NULL;
    }
    return holds(yaml_node_find(node, "name"), item->text) &&
           holds(yaml_node_find(node, "ticket"), item->ticket) &&
           holds(yaml_node_find(node, "effective"), item->effective) &&
           holds(yaml_node_find(node, "until"), item->until);
}

static bool is_entry(struct yaml_node node, const struct order_edit_entry *entry)
{
    return yaml_node_kind(node) == YAML_TEXT_MAPPING &&
           holds(yaml_node_find(node, "at"), entry->at) &&
           holds(yaml_node_find(node, "by"), entry->by) &&
           holds(yaml_node_find(node, "what"), entry->what) &&
           holds(yaml_node_find(node, "reason"), entry->reason);
}

/* Are the items what they were, but for those removed, and behind them those added? */
static bool names_follow(const struct editing *editing, struct yaml_node root, enum name_kind kind)
{
    struct yaml_node before = yaml_node_find(editing->root, order_edit_key(kind));
    struct yaml_node after = yaml_node_find(root, order_edit_key(kind));
    size_t at = 0, count = yaml_node_count(after);
    bool same = yaml_node_present(after) ? yaml_node_kind(after) == YAML_TEXT_SEQUENCE
                                         : !yaml_node_present(before);
    for (size_t i = 0; same && i < yaml_node_count(before); i++) {
        struct yaml_node item = yaml_node_item(before, i);
        if (editing->removed == NULL || !is_removed(editing, kind, item)) {
            same = at < count && same_node(item, yaml_node_item(after, at));
            at++;
        }
    }
    for (size_t i = 0; same && i < editing->asked->add_count; i++) {
        if (editing->asked->add[i].kind == kind) {
            same = at < count && is_item(yaml_node_item(after, at), &editing->asked->add[i]);
            at++;
        }
    }
    return same && at == count;
}

static bool history_follows(const struct editing *editing, struct yaml_node root)
{
    struct yaml_node before = yaml_node_find(editing->root, "history");
    struct yaml_node after = yaml_node_find(root, "history");
    size_t count = yaml_node_count(before);
    bool same = yaml_node_present(after) && yaml_node_kind(after) == YAML_TEXT_SEQUENCE &&
                yaml_node_count(after) == count + 1 &&
                is_entry(yaml_node_item(after, count), &editing->asked->entry);
    for (size_t i = 0; same && i < count; i++) {
        same = same_node(yaml_node_item(before, i), yaml_node_item(after, i));
    }
    return same;
}

/* Is this a key that other checks judge? */
static bool is_changed(const struct editing *editing, const char *key)
{
    bool names = editing->asked->add_count + editing->asked->remove_count > 0;
    bool changed = strcmp(key, "history") == 0 ||
                   (editing->asked->status != NULL && strcmp(key, "status") == 0);
    for (size_t i = 0; names && i < KINDS; i++) {
        changed = changed || strcmp(key, order_edit_key(kinds[i])) == 0;
    }
    return changed;
}

/* Do the keys that nobody asked to change stand in both, one as the other? */
static bool rest_stays(const struct editing *editing, struct yaml_node from, struct yaml_node to)
{
    bool same = yaml_node_kind(to) == YAML_TEXT_MAPPING;
    for (size_t i = 0; same && i < yaml_node_count(from); i++) {
        const char *key = yaml_node_scalar(yaml_node_key(from, i), NULL);
        struct yaml_node other = yaml_node_find(to, key);
        same = is_changed(editing, key) ||
               (yaml_node_present(other) && same_node(yaml_node_value(from, i), other));
    }
    return same;
}

static bool root_follows(const struct editing *editing, struct yaml_node root)
{
    const char *status = editing->asked->status;
    bool same = rest_stays(editing, editing->root, root) &&
                rest_stays(editing, root, editing->root) && history_follows(editing, root) &&
                (status == NULL || holds(yaml_node_find(root, "status"), status));
    bool names = editing->asked->add_count + editing->asked->remove_count > 0;
    for (size_t i = 0; same && names && i < KINDS; i++) {
        same = names_follow(editing, root, kinds[i]);
    }
    return same;
}

static bool follows(const struct editing *editing, const char *bytes, size_t size)
{
    struct problem_list found;
    if (size > YAML_TEXT_BYTES_MAX) {
        problem_list_add(editing->problems, PROBLEM_ERROR, editing->name, 0, 0,
                         "would be larger than %u octets: large sets of names belong in lists",
                         YAML_TEXT_BYTES_MAX);
        return false;
    }
    problem_list_init(&found);
    struct yaml_text *text = yaml_text_parse(editing->name, bytes, size, &found);
    bool same = text != NULL && root_follows(editing, yaml_text_root(text));
    yaml_text_free(text);
    problem_list_fini(&found);
    return same || say(editing, "this file is laid out in a way that cannot be edited in place; "
                                "change it by hand");
}

/* ---- All together ---- */

static bool make_changes(struct editing *editing)
{
    return remove_names(editing) && set_status(editing) && add_names(editing) && note(editing);
}

static bool edit_text(struct editing *editing, struct file_bytes *out)
{
    size_t size = 0;
    if (!make_changes(editing)) {
        return false;
    }
    char *bytes = text_splices_finish(&editing->splices, &size);
    if (bytes == NULL) {
        return say(editing, "this cannot be edited in place, or memory is out");
    }
    bool done = follows(editing, bytes, size);
    if (done && !file_bytes_copy(bytes, size, out)) {
        done = say(editing, "out of memory");
    }
    free(bytes);
    return done;
}

bool order_edit_apply(const char *name, const struct file_bytes *file,
                      const struct order_edit *edit, struct file_bytes *out,
                      struct problem_list *problems)
{
    struct editing editing = {.name = name, .asked = edit, .problems = problems};
    struct yaml_text *text = yaml_text_parse(name, file->bytes, file->size, problems);
    bool done = false;
    *out = (struct file_bytes){0};
    if (text == NULL) {
        return false;
    }
    editing.root = yaml_text_root(text);
    if (!text_splices_init(&editing.splices, file->bytes, file->size)) {
        say(&editing, "out of memory");
    } else if (yaml_node_kind(editing.root) != YAML_TEXT_MAPPING ||
               yaml_node_count(editing.root) == 0) {
        say(&editing, "expected the keys of an order");
    } else {
        done = edit_text(&editing, out);
    }
    suffix_map_free(editing.removed);
    text_splices_fini(&editing.splices);
    yaml_text_free(text);
    return done;
}

/* ---- A new order ---- */

static void compose_names(const struct order_edit *edit, enum name_kind kind, FILE *out)
{
    bool any = false;
    for (size_t i = 0; i < edit->add_count; i++) {
        if (edit->add[i].kind == kind) {
            fprintf(out, "%s%s  - ", any ? "" : order_edit_key(kind), any ? "" : ":\n");
            print_item(&edit->add[i], out);
            fputc('\n', out);
            any = true;
        }
    }
}

bool order_edit_compose(const struct order_edit_field *fields, size_t count,
                        const struct order_edit *edit, struct file_bytes *out)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    *out = (struct file_bytes){0};
    if (stream == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].value != NULL) {
            fprintf(stream, "%s: ", fields[i].key);
            yaml_scalar_print(fields[i].value, stream);
            fputc('\n', stream);
        }
    }
    for (size_t i = 0; i < KINDS; i++) {
        compose_names(edit, kinds[i], stream);
    }
    struct order_edit_entry entry = edit->entry;
    fputs("history:\n  - ", stream);
    print_entry(&entry, 0, stream);
    fputc('\n', stream);
    bool failed = ferror(stream) != 0;
    bool done = fclose(stream) == 0 && !failed && file_bytes_copy(text, size, out);
    free(text);
    return done;
}
