/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An array of sealed lists with their keys and warnings. Invariant: two entries never have the same
 * key, and an entry's list is what name_list_parse makes of the bytes and options of its key.
 */
#include "forwarder/generation/generation_lists.h"

#include <stdlib.h>
#include <string.h>

#include "geo/file_bytes.h"
#include "policy/name_list.h"

/* The key is all that decides what comes out, but for the guard, which is one for all. */
struct entry {
    uint8_t sha256[FILE_BYTES_SHA256];
    struct dname *wide;
    size_t wide_count;
    bool refuse_is_error;
    uint64_t seed;

    struct name_list *list;
    struct problem_list warnings;
};

struct generation_lists {
    uint8_t guard_sha256[FILE_BYTES_SHA256];
    struct entry *entries;
    size_t count;
    size_t capacity;
};

struct generation_lists *generation_lists_new(const uint8_t *guard_sha256)
{
    struct generation_lists *lists = calloc(1, sizeof *lists);
    if (lists != NULL) {
        memcpy(lists->guard_sha256, guard_sha256, sizeof lists->guard_sha256);
    }
    return lists;
}

static void entry_fini(struct entry *entry)
{
    name_list_unref(entry->list);
    problem_list_fini(&entry->warnings);
    free(entry->wide);
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

static bool same_wide(const struct entry *entry, const struct name_list_options *options)
{
    bool same = entry->wide_count == options->wide_count;
    for (size_t i = 0; same && i < entry->wide_count; i++) {
        same = dname_equal(&entry->wide[i], &options->wide[i]);
    }
    return same;
}

static const struct entry *find(const struct generation_lists *lists,
                                const struct name_list_options *options,
                                const struct file_bytes *file)
{
    for (size_t i = 0; i < lists->count; i++) {
        const struct entry *entry = &lists->entries[i];
        if (memcmp(entry->sha256, file->sha256, sizeof entry->sha256) == 0 &&
            entry->refuse_is_error == options->refuse_is_error && entry->seed == options->seed &&
            same_wide(entry, options)) {
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

/* Keeps a list with its key and a copy of its warnings. Where memory is out it is not kept, and
 * sealed again the next time. */
static void remember(struct generation_lists *lists, const struct name_list_options *options,
                     const struct file_bytes *file, struct name_list *list,
                     const struct problem_list *warnings)
{
    struct entry *entry = append(lists);
    struct dname *wide = calloc(options->wide_count + 1, sizeof *wide);
    if (entry == NULL || wide == NULL) {
        free(wide);
        return;
    }
    if (options->wide_count > 0) {
        memcpy(wide, options->wide, options->wide_count * sizeof *wide);
    }
    *entry = (struct entry){.wide = wide,
                            .wide_count = options->wide_count,
                            .refuse_is_error = options->refuse_is_error,
                            .seed = options->seed,
                            .list = name_list_ref(list)};
    memcpy(entry->sha256, file->sha256, sizeof entry->sha256);
    problem_list_init(&entry->warnings);
    say_warnings(warnings, options->name, &entry->warnings);
    lists->count++;
}

static struct name_list *parse(struct generation_lists *lists,
                               const struct name_list_options *options,
                               const struct file_bytes *file, struct problem_list *problems)
{
    struct problem_list found;
    problem_list_init(&found);
    struct name_list *list = name_list_parse(options, file->bytes, file->size, &found);
    if (list != NULL) {
        remember(lists, options, file, list, &found);
    }
    problem_list_move(problems, &found);
    return list;
}

struct name_list *generation_lists_take(struct generation_lists *lists,
                                        const struct generation_lists *before,
                                        const struct name_list_options *options,
                                        const struct file_bytes *file,
                                        struct problem_list *problems)
{
    const struct entry *entry = find(lists, options, file);
    bool here = entry != NULL;
    if (!here && before != NULL &&
        memcmp(before->guard_sha256, lists->guard_sha256, sizeof lists->guard_sha256) == 0) {
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
