/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Adding to lists (see list_draft.h). An item is judged as the daemon will judge it: as a line of
 * the list, by the reader of lists with the allow-wide of the order.
 */
#include "forwarder/cli/list_draft.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/cli/order_cover.h"
#include "forwarder/cli/order_words.h"
#include "forwarder/config/config.h"
#include "policy/name_list.h"
#include "policy/order_peek.h"
#include "policy/suffix_map.h"
#include "policy/yaml_text.h"

#define BYTES_MAX (512U * 1024U * 1024U) /* of a list that is read and written as a whole */

static void say(struct problem_list *problems, const char *name, const char *text)
{
    problem_list_add(problems, PROBLEM_ERROR, name, 0, 0, "%s", text);
}

/* ---- Where it is ---- */

/* The path of a list below base, where the orders are; NULL when memory is out. */
static char *path_of(const char *base, const char *order, const char *list)
{
    const char *slash = strrchr(order, '/');
    char *path = NULL;
    int folder = slash == NULL ? 0 : (int)(slash - order) + 1;
    if (list[0] == '/') {
        return strdup(list);
    }
    return asprintf(&path, "%s/%.*s%s", base, folder, order, list) < 0 ? NULL : path;
}

/* How often an order's file names this very list, under whatever path. */
static size_t count_uses(const struct order_store *store, const char *order,
                         const struct order_peek *peek, const struct stat *list)
{
    size_t uses = 0;
    const char *written;
    for (size_t i = 0; (written = order_peek_list(peek, i)) != NULL; i++) {
        struct stat other;
        char *path = path_of(store->root, order, written);
        uses += path != NULL && stat(path, &other) == 0 && other.st_dev == list->st_dev &&
                other.st_ino == list->st_ino;
        free(path);
    }
    return uses;
}

/* May this be a file that names lists? Most need not be parsed to know. */
static bool may_have_lists(const struct file_bytes *file)
{
    return memmem(file->bytes, file->size, "lists", strlen("lists")) != NULL ||
           memchr(file->bytes, '\\', file->size) != NULL;
}

/* The same of a file that was not read yet. One that is no YAML is not in force as it stands. */
static size_t count_uses_of(const struct order_store *store, const struct order_folder_entry *entry,
                            const struct stat *list)
{
    struct file_bytes file = {0};
    struct problem_list ignored;
    struct order_peek *peek = NULL;
    char why[WHY_MAX];
    problem_list_init(&ignored);
    if (file_bytes_read(store->folder.descriptor, entry->path, YAML_TEXT_BYTES_MAX, &file, why) &&
        may_have_lists(&file)) {
        peek = order_peek_open(entry->path, &file, &ignored);
    }
    size_t uses = peek == NULL ? 0 : count_uses(store, entry->path, peek, list);
    order_peek_free(peek);
    file_bytes_fini(&file);
    problem_list_fini(&ignored);
    return uses;
}

/* Would what is added bind by this order alone? */
static bool is_only_theirs(const struct list_draft *list, const struct order_store *store,
                           const struct order_draft *draft, struct problem_list *problems)
{
    for (size_t i = 0; i < store->folder.count; i++) {
        const struct order_folder_entry *entry = &store->folder.entries[i];
        bool own = strcmp(entry->path, draft->path) == 0;
        if (entry->is_order && count_uses_of(store, entry, &list->file.was) > own) {
            problem_list_add(problems, PROBLEM_ERROR, list->name, 0, 0,
                             own ? "%s names this list twice"
                                 : "%s names this list too: its clients would be bound as well",
                             entry->path);
            return false;
        }
    }
    return true;
}

/* Reads the file; false with an error. */
static bool read_file(struct list_draft *list, const char *path, struct problem_list *problems)
{
    char why[WHY_MAX] = "out of memory";
    if (name_list_packing_of(list->written) != NAME_LIST_PLAIN) {
        say(problems, list->name, "is packed; names are added to lists that are not");
        return false;
    }
    if (path == NULL || !file_replace_open(path, BYTES_MAX, &list->file, why)) {
        say(problems, list->name, why);
        return false;
    }
    return true;
}

/* Does the order's file name it? Which format that has is seen when the order is judged. */
static bool is_named(const struct order_draft *draft, const char *written)
{
    const char *other;
    for (size_t i = 0; (other = order_peek_list(draft->peek, i)) != NULL; i++) {
        if (strcmp(other, written) == 0) {
            return true;
        }
    }
    return false;
}

bool list_draft_open(const struct order_store *store, const struct order_draft *draft,
                     const char *written, struct list_draft *out, struct problem_list *problems)
{
    *out = (struct list_draft){.store = store, .draft = draft, .written = written};
    if (!is_named(draft, written)) {
        problem_list_add(problems, PROBLEM_ERROR, draft->name, 0, 0, "names no list %s", written);
        return false;
    }
    char *path = path_of(store->root, draft->path, written);
    out->name = path_of(store->config->orders, draft->path, written);
    bool opened = out->name != NULL && read_file(out, path, problems) &&
                  is_only_theirs(out, store, draft, problems);
    if (out->name == NULL) {
        say(problems, draft->name, "out of memory");
    }
    free(path);
    if (!opened) {
        list_draft_fini(out);
    }
    return opened;
}

void list_draft_fini(struct list_draft *list)
{
    name_list_unref(list->names);
    file_bytes_fini(&list->next);
    file_replace_fini(&list->file);
    free(list->name);
    *list = (struct list_draft){0};
}

/* ---- Lines ---- */

/* A ticket is the second column of its line, quoted where it could be taken for more. */
static void write_ticket(const char *ticket, FILE *out)
{
    bool quoted = strpbrk(ticket, "\",;#\r") != NULL;
    fputs(quoted ? ",\"" : ",", out);
    for (; *ticket != '\0'; ticket++) {
        fputs(quoted && *ticket == '"' ? "\"" : "", out);
        fputc(*ticket, out);
    }
    fputs(quoted ? "\"" : "", out);
}

static void write_items(const struct order_edit_item *items, size_t count, const char *end,
                        FILE *out)
{
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s%s", order_words_sign(items[i].kind), items[i].text);
        if (items[i].ticket != NULL) {
            write_ticket(items[i].ticket, out);
        }
        fputs(end, out);
    }
}

/* Octets that begin with these, ended as their lines are, and hold the items behind. False when
 * memory is out. */
static bool compose(const char *before, size_t size, const struct order_edit_item *items,
                    size_t count, struct file_bytes *out)
{
    *out = (struct file_bytes){0};
    FILE *stream = open_memstream(&out->bytes, &out->size);
    if (stream == NULL) {
        return false;
    }
    const char *feed = size == 0 ? NULL : memrchr(before, '\n', size);
    const char *end = feed != NULL && feed > before && feed[-1] == '\r' ? "\r\n" : "\n";
    fwrite(before, 1, size, stream);
    fputs(size > 0 && before[size - 1] != '\n' ? end : "", stream);
    write_items(items, count, end, stream);
    bool whole = ferror(stream) == 0;
    if (fclose(stream) == 0 && whole) {
        return true;
    }
    file_bytes_fini(out);
    return false;
}

/* ---- Judging ---- */

/* Is this the list that is added to? */
static bool is_ours(struct list_draft *list, const struct name_list_options *options,
                    struct problem_list *problems)
{
    if (strcmp(options->name, list->written) != 0) {
        return false;
    }
    list->found = options->format == NAME_LIST_NAMES;
    if (!list->found) {
        say(problems, list->name, "is not of format names; names are added to such lists alone");
    }
    return list->found;
}

/* An order_file_list_fn: takes what the list holds. Errors in it do not matter yet: the names may
 * be what it lacks. */
static struct name_list *take_names(void *ctx, const struct name_list_options *options,
                                    uint8_t sha256[static FILE_BYTES_SHA256],
                                    struct problem_list *problems)
{
    struct list_draft *list = ctx;
    if (is_ours(list, options, problems) && list->names == NULL) {
        struct problem_list ignored;
        problem_list_init(&ignored);
        list->names =
            name_list_parse(options, list->file.file.bytes, list->file.file.size, &ignored);
        problem_list_fini(&ignored);
    }
    return order_store_any_list(NULL, options, sha256, problems);
}

struct order *list_draft_judge(struct list_draft *list, struct problem_list *problems)
{
    const struct order_store_lists lists = {take_names, list};
    struct order *order = order_store_judge_lists(list->store, list->draft, &list->draft->file.file,
                                                  &lists, problems);
    if (order != NULL && !list->found) {
        order_unref(order);
        return NULL;
    }
    return order;
}

/* Judges up to NAME_LIST_PROBLEMS items: as many problems are told with their lines. */
static bool judge_some(struct list_draft *list, const struct name_list_options *options,
                       size_t first, size_t count)
{
    static const char before[] = "list.invalid\n"; /* no item is taken for the title of a column */
    struct problem_list problems;
    struct file_bytes lines;
    if (!compose(before, sizeof before - 1, list->items + first, count, &lines)) {
        return false;
    }
    problem_list_init(&problems);
    name_list_unref(name_list_parse(options, lines.bytes, lines.size, &problems));
    for (size_t i = 0; i < problems.count; i++) {
        const struct problem *problem = &problems.items[i];
        if (problem->line > 1 && problem->line <= count + 1) {
            list->blame(list->ctx, first + problem->line - 2, problem->text);
            list->blamed++;
        }
    }
    problem_list_fini(&problems);
    file_bytes_fini(&lines);
    return true;
}

static bool judge_items(struct list_draft *list, const struct name_list_options *options)
{
    for (size_t done = 0; done < list->count; done += NAME_LIST_PROBLEMS) {
        size_t left = list->count - done;
        if (!judge_some(list, options, done,
                        left < NAME_LIST_PROBLEMS ? left : NAME_LIST_PROBLEMS)) {
            return false;
        }
    }
    return true;
}

/* Does the list hold each item as it was meant? */
static bool holds_items(const struct list_draft *list, const struct name_list *names)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct order_edit_item *item = &list->items[i];
        struct suffix_keys keys;
        const uint32_t *found = NULL;
        bool held = false;
        suffix_keys_init(&keys, &item->name, ORDER_STORE_SEED);
        size_t count = suffix_map_find(name_list_map(names), &keys, item->name.labels, &found);
        for (size_t j = 0; j < count; j++) {
            held = held || found[j] == (uint32_t)item->kind;
        }
        if (!held) {
            return false;
        }
    }
    return true;
}

/* Judges the list with the items in it. */
static bool judge_next(struct list_draft *list, const struct name_list_options *options,
                       struct problem_list *problems)
{
    const struct file_bytes *file = &list->file.file;
    file_bytes_fini(&list->next);
    if (!compose(file->bytes, file->size, list->items, list->count, &list->next)) {
        say(problems, list->name, "out of memory");
        return false;
    }
    struct name_list_options named = *options;
    named.name = list->name;
    struct name_list *names = name_list_parse(&named, list->next.bytes, list->next.size, problems);
    bool good = names != NULL && holds_items(list, names);
    if (names != NULL && !good) {
        say(problems, list->name, "a name would not be read as it was written");
    }
    name_list_unref(names);
    return good;
}

/* An order_file_list_fn. */
static struct name_list *judge_list(void *ctx, const struct name_list_options *options,
                                    uint8_t sha256[static FILE_BYTES_SHA256],
                                    struct problem_list *problems)
{
    struct list_draft *list = ctx;
    if (is_ours(list, options, problems)) {
        if (!judge_items(list, options)) {
            say(problems, list->name, "out of memory");
            return NULL;
        }
        if (list->blamed == 0 && !judge_next(list, options, problems)) {
            return NULL;
        }
    }
    return order_store_any_list(NULL, options, sha256, problems);
}

struct order *list_draft_next(struct list_draft *list, const struct list_draft_addition *addition,
                              struct file_bytes *next, struct problem_list *problems)
{
    const struct order_edit edit = {.entry = addition->entry};
    const struct order_store_lists lists = {judge_list, list};
    list->items = addition->items;
    list->count = addition->count;
    list->blame = addition->blame;
    list->ctx = addition->ctx;
    list->blamed = 0;
    list->found = false;
    if (!order_edit_apply(list->draft->name, &list->draft->file.file, &edit, next, problems)) {
        return NULL;
    }
    struct order *order = order_store_judge_lists(list->store, list->draft, next, &lists, problems);
    if (list->blamed > 0 || !list->found) {
        order_unref(order);
        return NULL;
    }
    return order;
}

/* ---- Writing ---- */

static bool has_bytes(const struct file_bytes *file, const struct file_bytes *bytes)
{
    return file->size == bytes->size && memcmp(file->bytes, bytes->bytes, bytes->size) == 0;
}

/* Is the list in place, though something failed behind that? */
static bool is_written(const struct list_draft *list)
{
    struct file_bytes file = {0};
    char why[WHY_MAX];
    bool written = file_bytes_read(AT_FDCWD, list->file.path, BYTES_MAX, &file, why) &&
                   has_bytes(&file, &list->next);
    file_bytes_fini(&file);
    return written;
}

/* Takes the line of history back that tells of names which could not be written. */
static bool put_back(const struct order_draft *draft, const struct file_bytes *next,
                     char why[static WHY_MAX])
{
    struct file_replace now;
    if (!file_replace_open(draft->file.path, YAML_TEXT_BYTES_MAX, &now, why)) {
        return false;
    }
    bool done = has_bytes(&now.file, next) && file_replace_write(&now, &draft->file.file, why);
    file_replace_fini(&now);
    return done;
}

bool list_draft_put(const struct list_draft *list, const struct order_draft *draft,
                    const struct file_bytes *next, struct problem_list *problems)
{
    char why[WHY_MAX] = "changed meanwhile";
    if (!order_store_put(draft, next, problems)) {
        return false;
    }
    if (file_replace_write(&list->file, &list->next, why)) {
        return true;
    }
    say(problems, list->name, why);
    if (!is_written(list) && !put_back(draft, next, why)) {
        problem_list_add(problems, PROBLEM_ERROR, draft->name, 0, 0,
                         "its history tells of names that were not added: %s", why);
    }
    return false;
}
