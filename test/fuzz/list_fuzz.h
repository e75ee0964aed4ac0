/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What must hold of lists in any format, for the fuzz targets of each: read in one go or in small
 * steps they are the same list with the same problems, or no list with the same first error (what
 * is told behind it may hang on where blocks end); an error is told exactly where there is no list,
 * and never more problems than promised.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "geo/problem.h"
#include "policy/guard.h"
#include "policy/name_list.h"
#include "policy/suffix_map.h"

#define LIST_FUZZ_PROBLEMS (3 * (NAME_LIST_PROBLEMS + 1) + 6)

struct list_fuzz {
    enum name_list_format format;
    enum name_list_packing packing;
    const char *bytes;
    size_t size;
    const struct guard *guard; /* set by list_fuzz_read */
    const struct name_list *list;
};

static inline void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static inline const struct guard *list_fuzz_guard(void)
{
    static const char names[] = "resolver.example\nlogin.bank.example\n";
    static const struct guard *guard; /* made once for all inputs */
    if (guard == NULL) {
        struct problem_list problems;
        problem_list_init(&problems);
        guard = guard_new("protected", names, sizeof names - 1, &problems);
        require(guard != NULL);
        problem_list_fini(&problems);
    }
    return guard;
}

struct list_fuzz_steps {
    const char *at;
    size_t left;
};

static inline bool list_fuzz_step(void *ctx, char *out, size_t room, size_t *got,
                                  char why[static WHY_MAX])
{
    (void)why;
    struct list_fuzz_steps *steps = ctx;
    size_t step = steps->left % 7 + 1;
    *got = steps->left < step ? steps->left : step;
    *got = *got < room ? *got : room;
    if (*got > 0) {
        memcpy(out, steps->at, *got);
    }
    steps->at += *got;
    steps->left -= *got;
    return true;
}

static inline const struct problem *list_fuzz_first_error(const struct problem_list *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        if (problems->items[i].level == PROBLEM_ERROR) {
            return &problems->items[i];
        }
    }
    return NULL;
}

static inline bool list_fuzz_same(const struct problem *a, const struct problem *b)
{
    return a->line == b->line && a->column == b->column && strcmp(a->text, b->text) == 0;
}

static inline void list_fuzz_compare(const struct problem_list *a, const struct problem_list *b)
{
    if (a->errors > 0) {
        require(list_fuzz_same(list_fuzz_first_error(a), list_fuzz_first_error(b)));
        return;
    }
    require(a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        require(list_fuzz_same(&a->items[i], &b->items[i]));
    }
}

static inline void list_fuzz_read(struct list_fuzz *fuzz, suffix_map_visit_fn *visit)
{
    struct problem_list whole, stepped;
    fuzz->guard = list_fuzz_guard();
    const struct name_list_options options = {.name = "list",
                                              .format = fuzz->format,
                                              .packing = fuzz->packing,
                                              .guard = fuzz->guard,
                                              .seed = 1};
    problem_list_init(&whole);
    problem_list_init(&stepped);
    struct name_list *list = name_list_parse(&options, fuzz->bytes, fuzz->size, &whole);
    struct list_fuzz_steps steps = {fuzz->bytes, fuzz->size};
    const struct name_list_source source = {list_fuzz_step, &steps};
    struct name_list *again = name_list_read(&options, &source, &stepped);
    require((list == NULL) == (whole.errors > 0) && (list == NULL) == (again == NULL));
    require(whole.count <= LIST_FUZZ_PROBLEMS);
    /* What is unpacked before the damage shows may be told first. */
    if (list != NULL || fuzz->packing == NAME_LIST_PLAIN) {
        list_fuzz_compare(&whole, &stepped);
    }
    if (list != NULL) {
        require(name_list_count(list) == name_list_count(again));
        require(suffix_map_names(name_list_map(list)) == suffix_map_names(name_list_map(again)));
        fuzz->list = list;
        suffix_map_each(name_list_map(list), visit, fuzz);
    }
    name_list_unref(list);
    name_list_unref(again);
    problem_list_fini(&whole);
    problem_list_fini(&stepped);
}
