/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A generation made in memory for the tests of explanations: the countries of borders.mmdb (see
 * fixtures/networks.txt), an override or two, and orders in YAML. Each test binary includes it
 * once.
 */
#pragma once

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/config/config.h"
#include "forwarder/explain/explain.h"
#include "forwarder/explain/explain_question.h"
#include "forwarder/generation/generation.h"
#include "forwarder/generation/order_texts.h"
#include "geo/overrides.h"
#include "policy/guard.h"
#include "policy/order_file.h"
#include "policy/policy.h"

#define EXPLAIN_SET_ORDERS_MAX 16
#define EXPLAIN_SET_SEED 1
#define EXPLAIN_SET_LOADED INT64_C(1767225600) /* 2026-01-01T00:00:00Z */
#define EXPLAIN_SET_CONFIG                                                           \
    "listen: [{address: 127.0.0.1}]\nupstream: {servers: [{address: 192.0.2.53}]}\n" \
    "geo: {database: a.mmdb}\norders: orders\n"

/* The lines that every order has. */
#define EXPLAIN_SET_ORDER(id) "id: " id "\nauthority: Court\nissued: 2022-07-11\n"

/* An order as a test writes it; its file is IT/ID.yaml or so. */
struct explain_set_order {
    const char *folder;
    const char *yaml;
};

struct explain_set {
    struct generation generation;
    struct generation_order versions[EXPLAIN_SET_ORDERS_MAX];
    struct order_texts texts[EXPLAIN_SET_ORDERS_MAX];
    char paths[EXPLAIN_SET_ORDERS_MAX][64];
};

/* The one list there is, whatever an order calls it: a response policy zone. */
#define EXPLAIN_SET_ZONE                          \
    "$ORIGIN rpz.example.\n"                      \
    "@ 60 SOA . . 1 1 1 1 1\n"                    \
    "*.below.example 60 CNAME .\n"                \
    "pass.below.example 60 CNAME rpz-passthru.\n" \
    "32.9.0.32.2.rpz-client-ip 60 CNAME *.\n"

static inline struct name_list *explain_set_list(void *ctx, const struct name_list_options *options,
                                                 uint8_t sha256[static FILE_BYTES_SHA256],
                                                 struct problem_list *problems)
{
    (void)ctx;
    memset(sha256, 0, FILE_BYTES_SHA256);
    return name_list_parse(options, EXPLAIN_SET_ZONE, strlen(EXPLAIN_SET_ZONE), problems);
}

static inline struct order *explain_set_read(const struct guard *guard,
                                             const struct explain_set_order *source)
{
    char why[WHY_MAX];
    struct file_bytes bytes;
    struct problem_list problems;
    struct order_file_env env = {
        .guard = guard, .seed = EXPLAIN_SET_SEED, .open_list = explain_set_list};
    problem_list_init(&problems);
    ck_assert_msg(order_folder_scope_parse(source->folder, &env.folder, why), "%s", why);
    ck_assert(file_bytes_copy(source->yaml, strlen(source->yaml), &bytes));
    struct order *order = order_file_parse(&env, source->folder, &bytes, &problems);
    ck_assert_msg(order != NULL, "%s: %s", source->yaml,
                  problems.count > 0 ? problems.items[0].text : "no reason");
    problem_list_fini(&problems);
    file_bytes_fini(&bytes);
    return order;
}

/* Orders that have ended at loaded bind nobody any more. */
static inline struct policy *explain_set_policy(const struct explain_set_order *sources,
                                                size_t count, int64_t loaded)
{
    struct order *orders[EXPLAIN_SET_ORDERS_MAX];
    struct problem_list problems;
    problem_list_init(&problems);
    struct guard *guard = guard_new("protected", NULL, 0, &problems);
    ck_assert_ptr_nonnull(guard);
    ck_assert_uint_le(count, EXPLAIN_SET_ORDERS_MAX);
    for (size_t i = 0; i < count; i++) {
        orders[i] = explain_set_read(guard, &sources[i]);
    }
    struct policy *policy = policy_new(orders, count, EXPLAIN_SET_SEED, loaded);
    ck_assert_ptr_nonnull(policy);
    for (size_t i = 0; i < count; i++) {
        order_unref(orders[i]);
    }
    guard_free(guard);
    return policy;
}

/* config is the text of forwarder.conf. */
static inline void explain_set_init(struct explain_set *set, const char *config,
                                    const struct explain_set_order *orders, size_t count)
{
    static const char feed[] = "198.51.100.64/26,SM,,,\n198.51.100.128/26,,,,\n";
    char why[WHY_MAX];
    struct problem_list problems;
    problem_list_init(&problems);
    *set = (struct explain_set){0};
    set->generation = (struct generation){
        .number = 7,
        .loaded = EXPLAIN_SET_LOADED,
        .config = config_parse("/etc/bailiwick/forwarder.conf", config, strlen(config), &problems),
        .policy = explain_set_policy(orders, count, 0),
        .db = geo_db_open("test/fixtures/borders.mmdb", GEO_FIELD_COUNTRY, why),
        .overrides = overrides_parse("feed", feed, strlen(feed), &problems),
        .orders = set->versions,
        .texts = set->texts,
    };
    ck_assert_ptr_nonnull(set->generation.config);
    ck_assert_ptr_nonnull(set->generation.db);
    ck_assert_ptr_nonnull(set->generation.overrides);
    problem_list_fini(&problems);
    for (size_t i = 0; i < count; i++) {
        const struct order *order = policy_order(set->generation.policy, i);
        const char *id = order->id;
        snprintf(set->paths[i], sizeof set->paths[i], "%.2s/%s.yaml", id, id);
        set->versions[i] =
            (struct generation_order){.path = set->paths[i], .loaded = EXPLAIN_SET_LOADED - 60};
        ck_assert(order_texts_init(&set->texts[i], order, &set->generation.config->block));
    }
}

static inline void explain_set_fini(struct explain_set *set)
{
    for (size_t i = 0; i < EXPLAIN_SET_ORDERS_MAX; i++) {
        order_texts_fini(&set->texts[i]);
    }
    policy_free(set->generation.policy);
    overrides_unref(set->generation.overrides);
    geo_db_unref(set->generation.db);
    config_free(set->generation.config);
}

/* A question as a person asks it; time NULL: at EXPLAIN_SET_LOADED. */
struct explain_set_question {
    const char *address, *name, *type, *time;
};

static inline struct explain_question explain_set_parse(const struct explain_set_question *row)
{
    char why[WHY_MAX] = "";
    struct explain_question question = {.now = EXPLAIN_SET_LOADED};
    ck_assert_msg(explain_question_parse(&question, row->address, row->name, row->type, why), "%s",
                  why);
    ck_assert(row->time == NULL || explain_question_time(row->time, &question.now, why));
    return question;
}

static inline json_t *explain_set_json(const struct explain_set *set,
                                       const struct explain_set_question *row)
{
    struct explain_question question = explain_set_parse(row);
    json_t *object = explain_json(&set->generation, &question);
    ck_assert_ptr_nonnull(object);
    return object;
}

static inline char *explain_set_text(const struct explain_set *set,
                                     const struct explain_set_question *row)
{
    struct explain_question question = explain_set_parse(row);
    char *text = explain_text(&set->generation, &question);
    ck_assert_ptr_nonnull(text);
    return text;
}

/* Does the object have this text under this key? NULL: null. */
static inline void explain_set_expect(const char *label, const json_t *object, const char *key,
                                      const char *expected)
{
    const json_t *value = json_object_get(object, key);
    ck_assert_msg(value != NULL, "%s: no %s", label, key);
    if (expected == NULL) {
        ck_assert_msg(json_is_null(value), "%s: %s is not null", label, key);
        return;
    }
    const char *text = json_string_value(value);
    ck_assert_msg(text != NULL, "%s: %s is not %s", label, key, expected);
    ck_assert_msg(strcmp(text, expected) == 0, "%s: %s is %s", label, key, text);
}

/* The same for what its why says behind where the client is. */
static inline void explain_set_expect_why(const char *label, const json_t *object,
                                          const char *expected)
{
    const char *why = json_string_value(json_object_get(object, "why"));
    const char *reason = strstr(why, "; ");
    ck_assert_msg(reason != NULL, "%s: %s", label, why);
    ck_assert_msg(expected == NULL || strcmp(reason + 2, expected) == 0, "%s: %s", label, why);
}

/* What a person is to read somewhere in the text. */
struct explain_set_lines {
    const char *label;
    struct explain_set_question question;
    const char *lines;
};

static inline void explain_set_expect_lines(const struct explain_set *set,
                                            const struct explain_set_lines *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *text = explain_set_text(set, &rows[i].question);
        ck_assert_msg(strstr(text, rows[i].lines) != NULL, "%s:\n%s", rows[i].label, text);
        free(text);
    }
}
