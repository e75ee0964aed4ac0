/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lists of names, one a line, to a sealed map. Not here: reading and unpacking files, and other
 * formats. Owns the sealed map and what is counted of it; the bytes it is read from are only
 * borrowed while they are read. What the guard refuses is never in the map.
 */
#include "policy/name_list.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "geo/problem.h"
#include "policy/guard.h"
#include "policy/line_reader.h"
#include "policy/order_action.h"
#include "policy/suffix_map.h"

struct name_list {
    atomic_size_t references;
    struct suffix_map *map;
    size_t count;
    size_t refused;
    struct order_rule *rules;
    struct network_rules *answers;
    struct network_rules *clients;
};

/* Problems of one kind: the first ones are told, the rest counted. */
struct tally {
    enum problem_level level;
    const char *rest; /* what the rest is, for its line */
    size_t count;
};

/* A list as it is read. */
struct reading {
    const struct name_list_options *options;
    struct name_list *list;
    struct suffix_map_builder *builder;
    struct problem_list *problems;
    struct tally bad;
    struct tally refused;
    bool out_of_memory;
};

/* --- Problems --- */

static void tally_add(struct reading *reading, struct tally *tally, const struct line *line,
                      const char *text, const char *consequence)
{
    tally->count++;
    if (tally->count <= NAME_LIST_PROBLEMS) {
        problem_list_add(reading->problems, tally->level, reading->options->name, line->number,
                         line->column, "%s%s", text, consequence);
    }
}

static void tally_end(const struct reading *reading, const struct tally *tally)
{
    if (tally->count > NAME_LIST_PROBLEMS) {
        problem_list_add(reading->problems, tally->level, reading->options->name, 0, 0, "%zu %s",
                         tally->count - NAME_LIST_PROBLEMS, tally->rest);
    }
}

/* --- Names --- */

static void add(struct reading *reading, const struct dname *name, enum name_kind kind)
{
    if (!suffix_map_builder_add(reading->builder, name, kind)) {
        reading->out_of_memory = true;
    }
}

/* Adds an exception, and to the names above it that something below them is free. */
static bool add_exception(void *ctx, const struct dname *name)
{
    struct reading *reading = ctx;
    add(reading, name, NAME_EXCEPT);
    for (unsigned labels = 0; labels < name->labels; labels++) {
        struct dname ancestor;
        dname_suffix(name, labels, &ancestor);
        add(reading, &ancestor, NAME_FREE_BELOW);
    }
    return !reading->out_of_memory;
}

static bool is_wide_allowed(const struct name_list_options *options, const struct dname *name)
{
    for (size_t i = 0; i < options->wide_count; i++) {
        if (dname_equal(&options->wide[i], name)) {
            return true;
        }
    }
    return false;
}

/* May the order block this name? If not, it is counted and told. */
static bool guard_allows(struct reading *reading, const struct line *line, const struct dname *name)
{
    const struct name_list_options *options = reading->options;
    char why[WHY_MAX];
    const char *consequence = "";
    switch (guard_judge(options->guard, name, why)) {
    case GUARD_FREE:
        return true;
    case GUARD_WIDE:
        if (is_wide_allowed(options, name)) {
            return true;
        }
        consequence = ", and allow-wide does not list it";
        break;
    case GUARD_PROTECTED:
        break;
    }
    tally_add(reading, &reading->refused, line, why, consequence);
    return false;
}

static void add_blocked(struct reading *reading, const struct line *line, const struct dname *name,
                        enum name_kind kind)
{
    if (!guard_allows(reading, line, name)) {
        return;
    }
    reading->list->count++;
    add(reading, name, kind);
    /* The root was allowed, and what is protected below it still may not be blocked. */
    if (name->labels == 0 && kind == NAME_SUBTREE) {
        guard_each_protected(reading->options->guard, add_exception, reading);
    }
}

/* Takes the mark in front of a name off the line. */
static enum name_kind take_kind(struct line *line)
{
    if (*line->text != '=' && *line->text != '!') {
        return NAME_SUBTREE;
    }
    enum name_kind kind = *line->text == '=' ? NAME_EXACT : NAME_EXCEPT;
    line->text++;
    line->len--;
    line->column++;
    return kind;
}

static void read_line(struct reading *reading, struct line *line)
{
    enum name_kind kind = take_kind(line);
    struct dname name;
    char why[WHY_MAX];
    if (!dname_parse(line->text, line->len, &name, why)) {
        tally_add(reading, &reading->bad, line, why, "");
    } else if (kind == NAME_EXCEPT) {
        reading->list->count++;
        add_exception(reading, &name);
    } else {
        add_blocked(reading, line, &name, kind);
    }
}

/* --- The list --- */

/* Says what there is to say of the list as a whole. Is it good? */
static bool end_reading(struct reading *reading)
{
    const char *file = reading->options->name;
    tally_end(reading, &reading->bad);
    tally_end(reading, &reading->refused);
    reading->list->refused = reading->refused.count;
    if (reading->out_of_memory) {
        problem_list_add(reading->problems, PROBLEM_ERROR, file, 0, 0, "out of memory");
        return false;
    }
    if (reading->bad.count > 0 ||
        (reading->refused.count > 0 && reading->options->refuse_is_error)) {
        return false;
    }
    if (reading->list->count == 0) {
        problem_list_add(reading->problems, PROBLEM_ERROR, file, 0, 0,
                         reading->refused.count > 0 ? "every name of the list was refused"
                                                    : "the list holds no name");
        return false;
    }
    return true;
}

static bool read_all(struct reading *reading, const char *bytes, size_t size)
{
    struct line_reader reader;
    struct line line;
    line_reader_init(&reader, bytes, size);
    while (!reading->out_of_memory && line_reader_next(&reader, &line)) {
        read_line(reading, &line);
    }
    return end_reading(reading);
}

static struct name_list *list_new(void)
{
    struct name_list *list = calloc(1, sizeof *list);
    if (list != NULL) {
        atomic_init(&list->references, 1);
    }
    return list;
}

struct name_list *name_list_parse(const struct name_list_options *options, const char *bytes,
                                  size_t size, struct problem_list *problems)
{
    struct reading reading = {
        .options = options,
        .list = list_new(),
        .builder = suffix_map_builder_new(options->seed),
        .problems = problems,
        .bad = {.level = PROBLEM_ERROR, .rest = "more lines are not names"},
        .refused = {.level = options->refuse_is_error ? PROBLEM_ERROR : PROBLEM_WARNING,
                    .rest = "more names were refused"},
    };
    if (reading.list == NULL || reading.builder == NULL) {
        goto no_memory;
    }
    if (!read_all(&reading, bytes, size)) {
        goto fail;
    }
    reading.list->map = suffix_map_seal(reading.builder);
    reading.builder = NULL;
    if (reading.list->map == NULL) {
        goto no_memory;
    }
    return reading.list;

no_memory:
    problem_list_add(problems, PROBLEM_ERROR, options->name, 0, 0, "out of memory");
fail:
    suffix_map_builder_free(reading.builder);
    name_list_unref(reading.list);
    return NULL;
}

struct name_list *name_list_ref(struct name_list *list)
{
    atomic_fetch_add_explicit(&list->references, 1, memory_order_relaxed);
    return list;
}

void name_list_unref(struct name_list *list)
{
    if (list != NULL &&
        atomic_fetch_sub_explicit(&list->references, 1, memory_order_acq_rel) == 1) {
        suffix_map_free(list->map);
        free(list);
    }
}

const struct suffix_map *name_list_map(const struct name_list *list)
{
    return list->map;
}

size_t name_list_count(const struct name_list *list)
{
    return list->count;
}

size_t name_list_refused(const struct name_list *list)
{
    return list->refused;
}

const struct order_rule *name_list_rule(const struct name_list *list, uint32_t rule)
{
    return rule == 0 ? NULL : &list->rules[rule - 1];
}

const struct network_rules *name_list_answers(const struct name_list *list)
{
    return list->answers;
}

const struct network_rules *name_list_clients(const struct name_list *list)
{
    return list->clients;
}
