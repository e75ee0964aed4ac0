/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lists of any format in a line each, for tests: what was taken of a list, and what was told of it.
 */
#pragma once

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geo/problem.h"
#include "policy/guard.h"
#include "policy/name_list.h"
#include "policy/network_rules.h"
#include "policy/order_action.h"
#include "policy/suffix_map.h"

#define LIST_READ_TEXT 8192
#define LIST_READ_PAIRS 64
#define LIST_READ_SEED 1

/* What may be wide, and the list. */
struct list_read {
    enum name_list_format format;
    const char *bytes;
    size_t size;
    const char *wide[2];  /* names of allow-wide */
    const char *networks; /* one network of allow-wide, or NULL */
    bool refuse_is_error;
    struct guard *guard;
};

static inline struct name_list *list_read(const struct list_read *read,
                                          struct problem_list *problems)
{
    struct dname names[2];
    struct network network;
    char why[WHY_MAX];
    struct name_list_options options = {
        .name = "list",
        .format = read->format,
        .guard = read->guard,
        .wide = {.names = names, .networks = &network},
        .refuse_is_error = read->refuse_is_error,
        .seed = LIST_READ_SEED,
    };
    size_t *count = &options.wide.name_count;
    for (; *count < 2 && read->wide[*count] != NULL; (*count)++) {
        const char *text = read->wide[*count];
        ck_assert(dname_parse(text, strlen(text), &names[*count], why));
    }
    if (read->networks != NULL) {
        options.wide.network_count = 1;
        ck_assert(network_parse(read->networks, strlen(read->networks), &network, why, sizeof why));
    }
    return name_list_parse(&options, read->bytes, read->size, problems);
}

/* The guard of these tests: what is protected below. */
static inline struct guard *list_read_guard(void)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct guard *guard =
        guard_new("protected", "resolver.example\nlogin.bank.example", 35, &problems);
    ck_assert_ptr_nonnull(guard);
    problem_list_fini(&problems);
    return guard;
}

/* A rule as text: "nxdomain", "cname(garden.example)", "local(A 4,TXT 3)"; "" for number 0. */
static inline char *list_read_rule(const struct name_list *list, uint32_t number, char *out,
                                   size_t size)
{
    char target[DNAME_TEXT_MAX];
    const struct order_rule *rule = name_list_rule(list, number);
    if (rule == NULL) {
        out[0] = '\0';
        return out;
    }
    int len = snprintf(out, size, ":%s", order_action_name(rule->action));
    if (rule->action == ORDER_CNAME) {
        snprintf(out + len, size - (size_t)len, "(%.80s)", dname_format(&rule->target, target));
    }
    for (size_t i = 0; i < rule->record_count; i++) {
        const struct order_rule_record *record = &rule->records[i];
        len += snprintf(out + len, size - (size_t)len, "/%u-%u-%02x", record->type, record->size,
                        record->data[record->size - 1]);
    }
    return out;
}

/* The pairs of a map as texts. */
struct list_read_pairs {
    const struct name_list *list;
    char text[LIST_READ_PAIRS][160];
    size_t count;
};

static inline bool list_read_note(void *ctx, const struct dname *name, uint32_t value)
{
    static const char mark[] = {
        [NAME_SUBTREE] = '*', [NAME_EXACT] = '=', [NAME_EXCEPT] = '!',    [NAME_FREE_BELOW] = '^',
        [NAME_BELOW] = '>',   [NAME_PASS] = '~',  [NAME_PASS_BELOW] = '-'};
    struct list_read_pairs *pairs = ctx;
    char text[DNAME_TEXT_MAX], rule[96];
    uint32_t kind = value & ((1U << NAME_KIND_BITS) - 1);
    ck_assert_uint_lt(pairs->count, LIST_READ_PAIRS);
    ck_assert_uint_lt(kind, sizeof mark);
    list_read_rule(pairs->list, value >> NAME_KIND_BITS, rule, sizeof rule);
    snprintf(pairs->text[pairs->count++], sizeof pairs->text[0], "%c%.60s%.90s ", mark[kind],
             dname_format(name, text), rule);
    return true;
}

static inline int list_read_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* What the list says, in bytewise order: "=exact !except *subtree ^free-below >below ~pass
 * -pass-below ", of format rpz with the rule behind a colon. */
static inline char *list_read_contents(const struct name_list *list,
                                       char out[static LIST_READ_TEXT])
{
    static struct list_read_pairs pairs;
    pairs.list = list;
    pairs.count = 0;
    suffix_map_each(name_list_map(list), list_read_note, &pairs);
    qsort(pairs.text, pairs.count, sizeof pairs.text[0], list_read_compare);
    out[0] = '\0';
    for (size_t i = 0; i < pairs.count; i++) {
        size_t len = strlen(out);
        snprintf(out + len, LIST_READ_TEXT - len, "%s", pairs.text[i]);
    }
    return out;
}

/* All problems, one a line, warnings with a W in front. */
static inline char *list_read_told(const struct problem_list *problems,
                                   char out[static LIST_READ_TEXT])
{
    out[0] = '\0';
    for (size_t i = 0; i < problems->count; i++) {
        char text[512];
        problem_format(&problems->items[i], text, sizeof text);
        size_t len = strlen(out);
        snprintf(out + len, LIST_READ_TEXT - len, "%s%s\n",
                 problems->items[i].level == PROBLEM_WARNING ? "W " : "", text);
    }
    return out;
}
