/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Orders, lists and policies in a line each, for tests. Everything asserts.
 */
#pragma once

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "policy/guard.h"
#include "policy/policy.h"

/* Check writes a mark for every assertion that holds; where there are millions this one is silent.
 */
#define DEMAND(condition, ...)         \
    do {                               \
        if (!(condition)) {            \
            ck_abort_msg(__VA_ARGS__); \
        }                              \
    } while (0)

#define SEED 42 /* of every suffix map */

enum {
    TYPE_A = 1,
    TYPE_NS = 2,
    TYPE_DS = 43,
    TYPE_DNSKEY = 48,
    TYPE_ANY = 255
};

/* What a policy_note_fn was told. */
#define NOTES_MAX 12

struct notes {
    size_t count;
    struct policy_match match[NOTES_MAX];
};

static inline void take_note(void *ctx, const struct policy_match *match)
{
    struct notes *notes = ctx;
    DEMAND(notes->count < NOTES_MAX, "more notes than orders");
    notes->match[notes->count++] = *match;
}

static inline struct dname name_of(const char *text)
{
    struct dname name;
    char why[WHY_MAX];
    DEMAND(dname_parse(text, strlen(text), &name, why), "%s: %s", text, why);
    return name;
}

static inline struct country country_of(const char *code)
{
    struct country country = COUNTRY_UNKNOWN;
    DEMAND(*code == '\0' || country_parse(code, strlen(code), &country), "%s", code);
    return country;
}

static inline struct address address_of(const char *text)
{
    struct address address;
    DEMAND(address_parse(text, strlen(text), &address), "%s", text);
    return address;
}

/* A list as its file would be. Wide names need no leave here. */
static inline struct name_list *list_read(enum name_list_format format, const char *bytes)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct guard *guard = guard_new("protected", NULL, 0, &problems);
    struct dname wide[] = {name_of("test"), name_of(".")};
    const struct name_list_options options = {.name = "list",
                                              .format = format,
                                              .guard = guard,
                                              .wide = {.names = wide, .name_count = 2},
                                              .seed = SEED};
    struct name_list *list = name_list_parse(&options, bytes, strlen(bytes), &problems);
    DEMAND(list != NULL && problems.count == 0, "%s\n%s", bytes,
           problems.count > 0 ? problems.items[0].text : "");
    problem_list_fini(&problems);
    guard_free(guard);
    return list;
}

/* Names parted by newlines. */
static inline struct name_list *list_of(const char *bytes)
{
    return list_read(NAME_LIST_NAMES, bytes);
}

/* A response policy zone. */
static inline struct name_list *list_of_zone(const char *bytes)
{
    return list_read(NAME_LIST_RPZ, bytes);
}

/* A zone begins so in tests. */
#define ZONE "$TTL 60\n$ORIGIN rpz.example.\n@ SOA . . 1 1 1 1 1\n"

/* An order for Italy. names: parted by blanks, "=name" exactly, "!name" an exception; list: the
 * bytes of a list or of a zone, or NULL. */
static inline struct order *make_order(const char *id, const char *names, const char *list)
{
    struct order *order = order_new();
    char *copy = strdup(names);
    char *rest = copy;
    order->id = strdup(id);
    country_set_add(&order->scope.countries, country_of("IT"));
    order->names = calloc(strlen(names) + 1, sizeof *order->names);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        enum name_kind kind = *word == '=' ? NAME_EXACT : *word == '!' ? NAME_EXCEPT : NAME_SUBTREE;
        order->names[order->name_count++] =
            (struct order_name){.kind = kind, .name = name_of(word + (kind != NAME_SUBTREE))};
    }
    free(copy);
    if (list != NULL) {
        order->lists = calloc(1, sizeof *order->lists);
        order->lists[order->list_count++] = (struct order_list){
            .path = strdup("list"), .names = *list == '$' ? list_of_zone(list) : list_of(list)};
    }
    return order;
}

/* A policy over these orders, whose references it takes over. */
static inline struct policy *policy_over(struct order **orders, size_t count, int64_t loaded)
{
    struct policy *policy = policy_new(orders, count, SEED, loaded);
    ck_assert_ptr_nonnull(policy);
    for (size_t i = 0; i < count; i++) {
        order_unref(orders[i]);
    }
    return policy;
}
