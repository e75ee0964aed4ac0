/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An array of sealed lists with their keys and warnings. Invariant: two entries never have the same
 * key, and an entry's list is what name_list_parse makes of the bytes and options of its key.
 */
#include "forwarder/generation/generation_lists.h"

#include <stdlib.h>
#include <string.h>

#include "geo/file_stream.h"
#include "geo/network.h"
#include "policy/name_list.h"

/* The key is all that decides what comes out, but for the guard, which is one for all. */
struct entry {
    uint8_t sha256[FILE_BYTES_SHA256];
    enum name_list_format format;
    enum name_list_packing packing;
    struct guard_wide wide; /* its own */
    bool refuse_is_error;
    uint64_t seed;

    struct name_list *list;
    struct problem_list warnings;
};

struct generation_lists {
    uint8_t names_sha256[FILE_BYTES_SHA256]; /* of what is protected */
    uint8_t networks_sha256[FILE_BYTES_SHA256];
    struct entry *entries;
    size_t count;
    size_t capacity;
};

struct generation_lists *generation_lists_new(const uint8_t *names_sha256,
                                              const uint8_t *networks_sha256)
{
    struct generation_lists *lists = calloc(1, sizeof *lists);
    if (lists != NULL) {
        memcpy(lists->names_sha256, names_sha256, sizeof lists->names_sha256);
        memcpy(lists->networks_sha256, networks_sha256, sizeof lists->networks_sha256);
    }
    return lists;
}

static void entry_fini(struct entry *entry)
{
    name_list_unref(entry->list);
    problem_list_fini(&entry->warnings);
    free(entry->wide.names);
    free(entry->wide.networks);
}

void generation_lists_free(struct generation_lists *lists)
{
    if (lists == NULL) {
        return;
    }
    for (size_t i = 0; i < lists->count; i++) {
        entry_fini(&lists->entries[i]);
    }
    free(lists->entries);
    free(lists);
}

static const struct entry *find(const struct generation_lists *lists,
                                const struct name_list_options *options,
                                const struct file_stream_known *file)
{
    for (size_t i = 0; i < lists->count; i++) {
        const struct entry *entry = &lists->entries[i];
        if (memcmp(entry->sha256, file->sha256, sizeof entry->sha256) == 0 &&
            entry->format == options->format && entry->packing == options->packing &&
            entry->refuse_is_error == options->refuse_is_error && entry->seed == options->seed &&
            guard_wide_equal(&entry->wide, &options->wide)) {
            return entry;
        }
    }
    return NULL;
}

static void say_warnings(const struct problem_list *from, const char *name,
                         struct problem_list *problems)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct problem *item = &from->items[i];
        problem_list_add(problems, item->level, name, item->line, item->column, "%s", item->text);
    }
}

/* Room for one more entry, or NULL. */
static struct entry *append(struct generation_lists *lists)
{
    if (lists->count == lists->capacity) {
        size_t capacity = lists->capacity * 2 + 16;
        struct entry *more = reallocarray(lists->entries, capacity, sizeof *more);
        if (more == NULL) {
            return NULL;
        }
        lists->entries = more;
        lists->capacity = capacity;
    }
    return &lists->entries[lists->count];
}

/* A copy of count items of this size; NULL when memory is out. */
static void *copy_of(const void *items, size_t count, size_t size)
{
    void *copy = calloc(count + 1, size);
    if (copy != NULL && count > 0) {
        memcpy(copy, items, count * size);
    }
    return copy;
}

/* Keeps a list with its key and a copy of its warnings. Where memory is out it is not kept, and
 * sealed again the next time. */
static void remember(struct generation_lists *lists, const struct name_list_options *options,
                     const struct file_stream_known *file, struct name_list *list,
                     const struct problem_list *warnings)
{
    struct entry *entry = append(lists);
    struct guard_wide wide = options->wide;
    wide.names = copy_of(wide.names, wide.name_count, sizeof *wide.names);
    wide.networks = copy_of(wide.networks, wide.network_count, sizeof *wide.networks);
    if (entry == NULL || wide.names == NULL || wide.networks == NULL) {
        free(wide.names);
        free(wide.networks);
        return;
    }
    *entry = (struct entry){.format = options->format,
                            .packing = options->packing,
                            .wide = wide,
                            .refuse_is_error = options->refuse_is_error,
                            .seed = options->seed,
                            .list = name_list_ref(list)};
    memcpy(entry->sha256, file->sha256, sizeof entry->sha256);
    problem_list_init(&entry->warnings);
    say_warnings(warnings, options->name, &entry->warnings);
    lists->count++;
}

/* A name_list_source over a file_stream. */
static bool read_stream(void *ctx, char *out, size_t room, size_t *got, char why[static WHY_MAX])
{
    return file_stream_read(ctx, out, room, got, why);
}

/* Is what was read what the file was when it was looked at? Only then the list has the key it is
 * remembered by, and what is kept under state later are the bytes that were judged. */
static bool is_same(struct file_stream *stream, const struct file_stream_known *file,
                    const char *name, struct problem_list *problems)
{
    uint8_t sha256[FILE_BYTES_SHA256];
    if (file_stream_sha256(stream, sha256) && memcmp(sha256, file->sha256, sizeof sha256) == 0) {
        return true;
    }
    problem_list_add(problems, PROBLEM_ERROR, name, 0, 0, "changed while it was read");
    return false;
}

static struct name_list *parse(struct generation_lists *lists,
                               const struct name_list_options *options,
                               const struct file_stream_known *file, struct problem_list *problems)
{
    char why[WHY_MAX];
    struct problem_list found;
    struct name_list *list = NULL;
    struct file_stream *stream = file_stream_open(file->dir, file->path, file->size, why);
    if (stream == NULL) {
        problem_list_add(problems, PROBLEM_ERROR, options->name, 0, 0, "%s", why);
        return NULL;
    }
    problem_list_init(&found);
    const struct name_list_source source = {read_stream, stream};
    list = name_list_read(options, &source, &found);
    if (list != NULL && is_same(stream, file, options->name, &found)) {
        remember(lists, options, file, list, &found);
    } else {
        name_list_unref(list);
        list = NULL;
    }
    file_stream_close(stream);
    problem_list_move(problems, &found);
    return list;
}

static bool same_guard(const struct generation_lists *a, const struct generation_lists *b)
{
    return memcmp(a->names_sha256, b->names_sha256, sizeof a->names_sha256) == 0 &&
           memcmp(a->networks_sha256, b->networks_sha256, sizeof a->networks_sha256) == 0;
}

struct name_list *generation_lists_take(struct generation_lists *lists,
                                        const struct generation_lists *before,
                                        const struct name_list_options *options,
                                        const struct file_stream_known *file,
                                        struct problem_list *problems)
{
    const struct entry *entry = find(lists, options, file);
    bool here = entry != NULL;
    if (!here && before != NULL && same_guard(before, lists)) {
        entry = find(before, options, file);
    }
    if (entry == NULL) {
        return parse(lists, options, file, problems);
    }
    if (!here) {
        remember(lists, options, file, entry->list, &entry->warnings);
    }
    say_warnings(&entry->warnings, options->name, problems);
    return name_list_ref(entry->list);
}
