/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What may not be blocked: the public suffix list (libpsl, as built into it) and the operator's
 * protected names. Not here: allow-wide, which belongs to an order and is applied by its readers.
 * Owns the protected names and two maps over them; borrows libpsl's built-in list.
 */
#include "policy/guard.h"

#include <libpsl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geo/problem.h"
#include "policy/line_reader.h"
#include "policy/suffix_map.h"

/* Protected names are the operator's own, and no query is ever compared with them. */
#define GUARD_SEED 0

struct guard {
    const psl_ctx_t *suffixes;
    struct dname *names; /* protected; the values of both maps are places in it */
    size_t count;
    size_t capacity;
    struct suffix_map *below; /* the protected names: whoever has one as a suffix is below it */
    struct suffix_map *above; /* what stands above them, the root left out */
};

/* --- Reading --- */

static bool add_name(struct guard *guard, const struct dname *name)
{
    if (guard->count == guard->capacity) {
        size_t capacity = guard->capacity * 2 + 16;
        struct dname *names = realloc(guard->names, capacity * sizeof *names);
        if (names == NULL) {
            return false;
        }
        guard->names = names;
        guard->capacity = capacity;
    }
    guard->names[guard->count++] = *name;
    return true;
}

/* Reads the protected names; false only when memory is out. */
static bool read_names(struct guard *guard, const char *file, struct line_reader *reader,
                       struct problem_list *problems)
{
    struct line line;
    struct dname name;
    char why[WHY_MAX];
    while (line_reader_next(reader, &line)) {
        if (!dname_parse(line.text, line.len, &name, why)) {
            problem_list_add(problems, PROBLEM_ERROR, file, line.number, line.column, "%s", why);
        } else if (name.labels == 0) {
            problem_list_add(problems, PROBLEM_ERROR, file, line.number, line.column,
                             "the root cannot be protected: no order could block anything");
        } else if (!add_name(guard, &name)) {
            return false;
        }
    }
    return true;
}

/* Adds each name, or what stands above each, to a new map. NULL when memory is out. */
static struct suffix_map *map_names(const struct guard *guard, bool above)
{
    struct suffix_map_builder *builder = suffix_map_builder_new(GUARD_SEED);
    bool added = builder != NULL;
    for (size_t i = 0; added && i < guard->count; i++) {
        const struct dname *name = &guard->names[i];
        if (!above) {
            added = suffix_map_builder_add(builder, name, (uint32_t)i);
            continue;
        }
        for (unsigned labels = 1; added && labels < name->labels; labels++) {
            struct dname ancestor;
            dname_suffix(name, labels, &ancestor);
            added = suffix_map_builder_add(builder, &ancestor, (uint32_t)i);
        }
    }
    if (!added) {
        suffix_map_builder_free(builder);
        return NULL;
    }
    return suffix_map_seal(builder);
}

static bool make_maps(struct guard *guard)
{
    guard->below = map_names(guard, false);
    guard->above = map_names(guard, true);
    return guard->below != NULL && guard->above != NULL;
}

struct guard *guard_new(const char *name, const char *bytes, size_t size,
                        struct problem_list *problems)
{
    size_t errors = problems->errors;
    struct line_reader reader;
    struct guard *guard = calloc(1, sizeof *guard);
    if (guard == NULL) {
        goto no_memory;
    }
    guard->suffixes = psl_builtin();
    if (guard->suffixes == NULL) {
        problem_list_add(problems, PROBLEM_ERROR, name, 0, 0,
                         "libpsl was built without a public suffix list");
        goto fail;
    }
    line_reader_init(&reader, bytes, bytes == NULL ? 0 : size);
    if (!read_names(guard, name, &reader, problems) || !make_maps(guard)) {
        goto no_memory;
    }
    if (problems->errors == errors) {
        return guard;
    }
    goto fail;

no_memory:
    problem_list_add(problems, PROBLEM_ERROR, name, 0, 0, "out of memory");
fail:
    guard_free(guard);
    return NULL;
}

void guard_free(struct guard *guard)
{
    if (guard != NULL) {
        suffix_map_free(guard->above);
        suffix_map_free(guard->below);
        free(guard->names);
        free(guard);
    }
}

/* --- Judging --- */

/* Two names within one sentence: very long ones are cut. */
static enum guard_verdict say(enum guard_verdict verdict, const struct dname *name,
                              const char *relation, const struct dname *other,
                              char why[static WHY_MAX])
{
    char text[DNAME_TEXT_MAX];
    char other_text[DNAME_TEXT_MAX] = "";
    dname_format(name, text);
    if (other != NULL) {
        dname_format(other, other_text);
    }
    snprintf(why, WHY_MAX, "%.128s %s%.128s", text, relation, other_text);
    return verdict;
}

static enum guard_verdict judge_protected(const struct guard *guard, const struct dname *name,
                                          char why[static WHY_MAX])
{
    struct suffix_keys keys;
    suffix_keys_init(&keys, name, GUARD_SEED);
    const uint32_t *place = NULL;
    for (unsigned labels = 1; labels < keys.count; labels++) {
        if (suffix_map_find(guard->below, &keys, labels, &place) > 0) {
            return say(GUARD_PROTECTED, name, "stands below the protected name ",
                       &guard->names[*place], why);
        }
    }
    if (suffix_map_find(guard->below, &keys, keys.count, &place) > 0) {
        return say(GUARD_PROTECTED, name, "is a protected name", NULL, why);
    }
    if (suffix_map_find(guard->above, &keys, keys.count, &place) > 0) {
        return say(GUARD_PROTECTED, name, "stands above the protected name ", &guard->names[*place],
                   why);
    }
    return GUARD_FREE;
}

/* An octet for libpsl. What no public suffix has becomes a question mark, so that only wildcards of
 * the list match it. */
static char suffix_octet(uint8_t octet)
{
    bool plain = (octet >= 'a' && octet <= 'z') || (octet >= '0' && octet <= '9') || octet == '-';
    return (char)(plain ? octet : '?');
}

/* The text of a name as libpsl must have it: lower case, no trailing dot. Not dname_format: a
 * million names are judged, and a dot that is escaped there would be a dot here. */
static void format_suffix(const struct dname *name, char out[static DNAME_MAX])
{
    char *text = out;
    for (size_t at = 0; name->wire[at] != 0;) {
        if (at > 0) {
            *text++ = '.';
        }
        for (size_t end = at + name->wire[at]; at++ < end;) {
            *text++ = suffix_octet(name->wire[at]);
        }
    }
    *text = '\0';
}

enum guard_verdict guard_judge(const struct guard *guard, const struct dname *name,
                               char why[static WHY_MAX])
{
    if (name->labels == 0) {
        snprintf(why, WHY_MAX, "the root stands above every name");
        return GUARD_WIDE;
    }
    if (guard->count > 0 && judge_protected(guard, name, why) == GUARD_PROTECTED) {
        return GUARD_PROTECTED;
    }
    if (name->labels == 1) {
        return say(GUARD_WIDE, name, "is a top-level domain", NULL, why);
    }
    char text[DNAME_MAX];
    format_suffix(name, text);
    if (psl_is_public_suffix(guard->suffixes, text)) {
        return say(GUARD_WIDE, name, "is a public suffix", NULL, why);
    }
    return GUARD_FREE;
}

void guard_each_protected(const struct guard *guard, guard_visit_fn *visit, void *ctx)
{
    for (size_t i = 0; i < guard->count; i++) {
        if (!visit(ctx, &guard->names[i])) {
            return;
        }
    }
}
