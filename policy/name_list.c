/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lists as orders use them: what a reader of their format (policy/list_*.c) has found, sealed. Not
 * here: how lists are written and packed. Owns the sealed map, rules and networks; the bytes they
 * are read from are never held whole. What the guard refuses is never in the map.
 */
#include "policy/name_list.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "geo/problem.h"
#include "policy/list_intake.h"
#include "policy/list_rules.h"
#include "policy/list_unpack.h"
#include "policy/network_rules.h"
#include "policy/order_action.h"
#include "policy/suffix_map.h"

struct name_list {
    atomic_size_t references;
    struct suffix_map *map;
    size_t count;
    size_t refused;
    struct order_rule *rules;
    size_t rule_count;
    struct network_rules *answers;
    struct network_rules *clients;
};

/* The readers, and what lines of theirs are when they are not told one by one. */
static const struct {
    void (*read)(struct list_intake *intake, struct list_unpack *source);
    const char *bad;
} formats[] = {
    [NAME_LIST_NAMES] = {list_names_read, "more lines are not names"},
    [NAME_LIST_HOSTS] = {list_hosts_read, "more lines are not lines of a hosts file"},
    [NAME_LIST_RPZ] = {list_rpz_read, "more records are not rules"},
};

enum name_list_packing name_list_packing_of(const char *path)
{
    static const struct {
        const char *ending;
        enum name_list_packing packing;
    } endings[] = {{".gz", NAME_LIST_GZIP}, {".zst", NAME_LIST_ZSTD}};
    size_t len = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(endings[i].ending);
        if (len > n && strcmp(path + len - n, endings[i].ending) == 0) {
            return endings[i].packing;
        }
    }
    return NAME_LIST_PLAIN;
}

/* ---- Reading ---- */

static bool intake_init(struct list_intake *intake, const struct name_list_options *options,
                        struct problem_list *problems)
{
    *intake = (struct list_intake){
        .options = options,
        .problems = problems,
        .builder = suffix_map_builder_new(options->seed),
        .bad = {.level = PROBLEM_ERROR, .rest = formats[options->format].bad},
        .refused = {.level = options->refuse_is_error ? PROBLEM_ERROR : PROBLEM_WARNING,
                    .rest = "more names were refused"},
        .noted = {.level = PROBLEM_WARNING, .rest = "more lines should be looked at"},
    };
    return intake->builder != NULL;
}

static void intake_fini(struct list_intake *intake)
{
    suffix_map_builder_free(intake->builder);
    list_rules_free(intake->rules);
    free(intake->answers.items);
    free(intake->clients.items);
}

/* Unpacks and reads everything. */
static void read_all(struct list_intake *intake, const struct name_list_source *source)
{
    char why[WHY_MAX];
    struct list_unpack *unpack = list_unpack_new(intake->options->packing, source, why);
    if (unpack == NULL) {
        intake->out_of_memory = true;
        return;
    }
    formats[intake->options->format].read(intake, unpack);
    list_unpack_free(unpack);
}

static struct network_rules *seal_networks(struct list_intake *intake,
                                           const struct list_networks *networks)
{
    struct network_rules *rules = network_rules_new(networks->items, networks->count);
    if (rules == NULL && networks->count > 0) {
        intake->out_of_memory = true;
    }
    return rules;
}

/* Moves what was collected into the list, which is only used if nothing is told by then. */
static void seal(struct list_intake *intake, struct name_list *list)
{
    list->count = intake->count;
    list->refused = intake->refused.count;
    list->map = suffix_map_seal(intake->builder);
    intake->builder = NULL;
    if (list->map == NULL) {
        intake->out_of_memory = true;
        return;
    }
    if (intake->rules != NULL) {
        list_intake_tell_conflicts(intake, list->map);
        list->rules = list_rules_take(intake->rules, &list->rule_count);
    }
    list->answers = seal_networks(intake, &intake->answers);
    list->clients = seal_networks(intake, &intake->clients);
}

static struct name_list *list_new(void)
{
    struct name_list *list = calloc(1, sizeof *list);
    if (list != NULL) {
        atomic_init(&list->references, 1);
    }
    return list;
}

struct name_list *name_list_read(const struct name_list_options *options,
                                 const struct name_list_source *source,
                                 struct problem_list *problems)
{
    struct list_intake intake;
    struct name_list *list = list_new();
    if (!intake_init(&intake, options, problems) || list == NULL) {
        intake.out_of_memory = true;
    } else {
        read_all(&intake, source);
    }
    /* A list that has errors is not worth the sealing. */
    if (!intake.out_of_memory && intake.bad.count == 0) {
        seal(&intake, list);
    }
    if (!list_intake_end(&intake)) {
        name_list_unref(list);
        list = NULL;
    }
    intake_fini(&intake);
    return list;
}

/* Bytes in memory, as a name_list_source reads them. */
struct given_bytes {
    const char *at;
    size_t left;
};

static bool read_given(void *ctx, char *out, size_t room, size_t *got, char why[static WHY_MAX])
{
    (void)why;
    struct given_bytes *given = ctx;
    *got = given->left < room ? given->left : room;
    if (*got > 0) {
        memcpy(out, given->at, *got);
        given->at += *got;
        given->left -= *got;
    }
    return true;
}

struct name_list *name_list_parse(const struct name_list_options *options, const char *bytes,
                                  size_t size, struct problem_list *problems)
{
    struct given_bytes given = {bytes, size};
    const struct name_list_source source = {read_given, &given};
    return name_list_read(options, &source, problems);
}

/* ---- The list ---- */

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
        list_rules_release(list->rules, list->rule_count);
        network_rules_free(list->answers);
        network_rules_free(list->clients);
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
