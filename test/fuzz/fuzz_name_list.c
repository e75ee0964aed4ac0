/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lists of names. Whatever comes out blocks nothing that the guard refuses, finds each of its own
 * names, and never tells more problems than it promises.
 */
#include "policy/name_list.h"

#include <stdlib.h>
#include <string.h>

#include "geo/problem.h"
#include "policy/guard.h"
#include "policy/suffix_map.h"

#define SEED 1
#define PROBLEMS_MAX (2 * (NAME_LIST_PROBLEMS + 1) + 1)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* A list as it was read, for looking at its pairs. */
struct reading {
    const struct name_list_options *options;
    const struct suffix_map *map;
};

static bool is_wide(const struct name_list_options *options, const struct dname *name)
{
    return guard_wide_has(&options->wide, name);
}

static bool check_pair(void *ctx, const struct dname *name, uint32_t value)
{
    const struct reading *reading = ctx;
    struct suffix_keys keys;
    const uint32_t *values = NULL;
    suffix_keys_init(&keys, name, SEED);
    size_t count = suffix_map_find(reading->map, &keys, keys.count, &values);
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        found = found || values[i] == value;
    }
    require(found);

    char why[WHY_MAX];
    enum guard_verdict verdict = guard_judge(reading->options->guard, name, why);
    bool blocked = value == NAME_SUBTREE || value == NAME_EXACT;
    require(!blocked || verdict == GUARD_FREE ||
            (verdict == GUARD_WIDE && is_wide(reading->options, name)));
    return true;
}

static void read_list(const struct name_list_options *options, const char *bytes, size_t size)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct name_list *list = name_list_parse(options, bytes, size, &problems);
    require((list == NULL) == (problems.errors > 0));
    require(problems.count <= PROBLEMS_MAX);
    if (list != NULL) {
        require(name_list_count(list) > 0);
        require(name_list_refused(list) == 0 || !options->refuse_is_error);
        struct reading reading = {.options = options, .map = name_list_map(list)};
        suffix_map_each(reading.map, check_pair, &reading);
    }
    name_list_unref(list);
    problem_list_fini(&problems);
}

static struct guard *new_guard(void)
{
    static const char names[] = "resolver.example\nlogin.bank.example\n";
    struct problem_list problems;
    problem_list_init(&problems);
    struct guard *guard = guard_new("protected", names, sizeof names - 1, &problems);
    require(guard != NULL);
    problem_list_fini(&problems);
    return guard;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dname root = {.size = 1};
    static const struct guard *guard; /* made once for all inputs */
    if (guard == NULL) {
        guard = new_guard();
    }
    struct name_list_options options = {
        .name = "list", .guard = guard, .wide = {.names = &root}, .seed = SEED};
    read_list(&options, (const char *)data, size);
    options.wide.name_count = 1;
    options.refuse_is_error = true;
    read_list(&options, (const char *)data, size);
    return 0;
}
