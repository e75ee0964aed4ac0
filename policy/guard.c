/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What may not be blocked: public suffixes, widely used names, and the operator's protected names
 * and networks. Not here: allow-wide, which belongs to an order and is applied by its readers. Owns
 * the protected names, the maps over them and over what is widely used, and the networks.
 */
#include "policy/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geo/network.h"
#include "geo/problem.h"
#include "policy/line_reader.h"
#include "policy/protected_networks.h"
#include "policy/public_suffix.h"
#include "policy/public_suffix_rules.h"
#include "policy/suffix_map.h"
#include "policy/widely_used.h"

/* Protected names are the operator's own, and no query is ever compared with them. */
#define GUARD_SEED 0

struct guard {
    struct dname *names; /* protected; the values of both maps are places in it */
    size_t count;
    size_t capacity;
    struct suffix_map *below; /* the protected names: whoever has one as a suffix is below it */
    struct suffix_map *above; /* what stands above them, the root left out */
    struct suffix_map *used;  /* widely used names */
    struct public_suffix_rules *rules;   /* which names need not be looked up; NULL: all must */
    struct protected_networks *networks; /* NULL: none */
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

/* What stands above these is a public suffix. NULL when memory is out. */
static struct suffix_map *map_used_names(void)
{
    struct line_reader reader;
    struct line line;
    struct dname name;
    char why[WHY_MAX];
    size_t size;
    const char *text = widely_used_text(&size);
    struct suffix_map_builder *builder = suffix_map_builder_new(GUARD_SEED);
    bool added = builder != NULL;
    line_reader_init(&reader, text, size);
    while (added && line_reader_next(&reader, &line)) {
        added = dname_parse(line.text, line.len, &name, why) &&
                suffix_map_builder_add(builder, &name, 0);
    }
    if (!added) {
        suffix_map_builder_free(builder);
        return NULL;
    }
    return suffix_map_seal(builder);
}

static bool make_maps(struct guard *guard)
{
    guard->used = map_used_names();
    guard->below = map_names(guard, false);
    guard->above = map_names(guard, true);
    return guard->used != NULL && guard->below != NULL && guard->above != NULL;
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
    if (!public_suffix_known()) {
        problem_list_add(problems, PROBLEM_ERROR, name, 0, 0,
                         "libpsl was built without a public suffix list");
        goto fail;
    }
    line_reader_init(&reader, bytes, bytes == NULL ? 0 : size);
    if (!read_names(guard, name, &reader, problems) || !make_maps(guard)) {
        goto no_memory;
    }
    if (problems->errors == errors) {
        guard->rules = public_suffix_rules_new();
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
        public_suffix_rules_free(guard->rules);
        suffix_map_free(guard->used);
        protected_networks_free(guard->networks);
        suffix_map_free(guard->above);
        suffix_map_free(guard->below);
        free(guard->names);
        free(guard);
    }
}

bool guard_protect_networks(struct guard *guard, const char *name, const char *bytes, size_t size,
                            struct problem_list *problems)
{
    guard->networks = protected_networks_new(name, bytes, size, problems);
    return guard->networks != NULL;
}

/* --- Judging names --- */

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

static bool is_widely_used(const struct guard *guard, const struct dname *name)
{
    struct suffix_keys keys;
    const uint32_t *value;
    suffix_keys_init(&keys, name, GUARD_SEED);
    return suffix_map_find(guard->used, &keys, keys.count, &value) > 0;
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
    if (public_suffix_rules_may_name(guard->rules, name) && public_suffix_is(name, name->labels)) {
        return say(GUARD_WIDE, name, "is a public suffix", NULL, why);
    }
    if (is_widely_used(guard, name)) {
        return say(GUARD_WIDE, name, "is widely used: others than its owner depend on it", NULL,
                   why);
    }
    return GUARD_FREE;
}

/* --- Judging labels --- */

enum guard_verdict guard_judge_label(const struct dname *label, char why[static WHY_MAX])
{
    char tld[PUBLIC_SUFFIX_TLD_MAX];
    if (!public_suffix_of_label(label, tld)) {
        return GUARD_FREE;
    }
    if (tld[0] == '\0') {
        return say(GUARD_WIDE, label, "is a top-level domain", NULL, why);
    }
    char text[DNAME_TEXT_MAX];
    snprintf(why, WHY_MAX, "%.64s is a public suffix under %s", dname_format(label, text), tld);
    return GUARD_WIDE;
}

/* --- Judging networks --- */

static enum guard_verdict say_protected(const struct network *network, const struct network *other,
                                        char why[static WHY_MAX])
{
    char text[NETWORK_TEXT_MAX], other_text[NETWORK_TEXT_MAX];
    const char *relation = "lies within";
    if (network->length < other->length) {
        relation = "holds";
    } else if (network->length == other->length) {
        relation = "is";
    }
    snprintf(why, WHY_MAX, "%s %s the protected network %s", network_format(network, text),
             relation, network_format(other, other_text));
    return GUARD_PROTECTED;
}

enum guard_verdict guard_judge_network(const struct guard *guard, const struct network *network,
                                       char why[static WHY_MAX])
{
    const struct network *other = protected_networks_find(guard->networks, network);
    if (other != NULL) {
        return say_protected(network, other, why);
    }
    const bool ipv4 = network->length >= NETWORK_IPV4.length && address_is_ipv4(&network->base);
    const unsigned length = network->length - (ipv4 ? NETWORK_IPV4.length : 0U);
    const unsigned least = ipv4 ? GUARD_IPV4_LENGTH : GUARD_IPV6_LENGTH;
    if (length < least) {
        char text[NETWORK_TEXT_MAX];
        snprintf(why, WHY_MAX, "%s is wider than /%u", network_format(network, text), least);
        return GUARD_WIDE;
    }
    return GUARD_FREE;
}

/* --- allow-wide --- */

bool guard_wide_has(const struct guard_wide *wide, const struct dname *name)
{
    for (size_t i = 0; i < wide->name_count; i++) {
        if (dname_equal(&wide->names[i], name)) {
            return true;
        }
    }
    return false;
}

static bool has_network(const struct guard_wide *wide, const struct network *network)
{
    for (size_t i = 0; i < wide->network_count; i++) {
        if (network_equal(&wide->networks[i], network)) {
            return true;
        }
    }
    return false;
}

bool guard_wide_equal(const struct guard_wide *a, const struct guard_wide *b)
{
    bool equal = a->name_count == b->name_count && a->network_count == b->network_count;
    for (size_t i = 0; equal && i < a->name_count; i++) {
        equal = dname_equal(&a->names[i], &b->names[i]);
    }
    for (size_t i = 0; equal && i < a->network_count; i++) {
        equal = network_equal(&a->networks[i], &b->networks[i]);
    }
    return equal;
}

static bool permits(enum guard_verdict verdict, bool listed, char why[static WHY_MAX])
{
    if (verdict == GUARD_WIDE && !listed) {
        size_t len = strlen(why);
        snprintf(why + len, WHY_MAX - len, ", and allow-wide does not list it");
    }
    return verdict == GUARD_FREE || listed;
}

bool guard_permits(const struct guard *guard, const struct guard_wide *wide,
                   const struct dname *name, char why[static WHY_MAX])
{
    enum guard_verdict verdict = guard_judge(guard, name, why);
    return permits(verdict, verdict == GUARD_WIDE && guard_wide_has(wide, name), why);
}

bool guard_permits_label(const struct guard_wide *wide, const struct dname *label,
                         char why[static WHY_MAX])
{
    enum guard_verdict verdict = guard_judge_label(label, why);
    return permits(verdict, verdict == GUARD_WIDE && guard_wide_has(wide, label), why);
}

bool guard_permits_network(const struct guard *guard, const struct guard_wide *wide,
                           const struct network *network, char why[static WHY_MAX])
{
    enum guard_verdict verdict = guard_judge_network(guard, network, why);
    return permits(verdict, verdict == GUARD_WIDE && has_network(wide, network), why);
}

/* --- Protected names --- */

void guard_each_protected(const struct guard *guard, guard_visit_fn *visit, void *ctx)
{
    for (size_t i = 0; i < guard->count; i++) {
        if (!visit(ctx, &guard->names[i])) {
            return;
        }
    }
}

/* The names of a map, each once. */
struct names_visit {
    guard_visit_fn *visit;
    void *ctx;
    struct dname last;
};

/* A suffix_map_visit_fn: the values of one name come one behind the other. */
static bool visit_once(void *ctx, const struct dname *name, uint32_t value)
{
    struct names_visit *names = ctx;
    (void)value;
    if (dname_equal(name, &names->last)) {
        return true;
    }
    names->last = *name;
    return names->visit(names->ctx, name);
}

void guard_each_above(const struct guard *guard, guard_visit_fn *visit, void *ctx)
{
    struct names_visit names = {.visit = visit, .ctx = ctx};
    suffix_map_each(guard->above, visit_once, &names);
}
