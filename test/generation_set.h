/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A whole installation in a scratch folder for the tests of generation: configuration, orders,
 * database, state. Loads are described as text, so that a test compares one line. Each test binary
 * includes it once.
 */
#pragma once

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forwarder/generation/generation.h"
#include "forwarder/generation/generation_keep.h"
#include "geo/file_bytes.h"
#include "policy/order.h"
#include "policy/policy.h"
#include "test/scratch.h"

#define NOW INT64_C(1751000000) /* twelve days after the fixtures were built */
#define SET_TEXT_MAX 4096

static struct scratch scratch;
static struct config *config;
static struct problem_list problems; /* of the last load */

/* Writes a file below the scratch folder, whose folder is made if it is not there. */
static inline void put_bytes(const char *name, const void *bytes, size_t size)
{
    char path[SCRATCH_PATH_MAX];
    scratch_path(&scratch, name, path);
    for (char *slash = strchr(path + strlen(scratch.folder) + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        ck_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
        *slash = '/';
    }
    scratch_write(path, bytes, size);
}

static inline void put(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

static inline void take_away(const char *name)
{
    char path[SCRATCH_PATH_MAX];
    ck_assert_int_eq(unlink(scratch_path(&scratch, name, path)), 0);
}

static inline void put_database(const char *fixture)
{
    struct file_bytes file;
    char path[SCRATCH_PATH_MAX], why[WHY_MAX];
    snprintf(path, sizeof path, "test/fixtures/%s", fixture);
    bool read = file_bytes_read(AT_FDCWD, path, 1U << 20, &file, why);
    ck_assert_msg(read, "%s", why);
    put_bytes("country.mmdb", file.bytes, file.size);
    file_bytes_fini(&file);
}

#define ORDER(id, name) \
    "id: " id "\nauthority: Tribunale di Milano\nissued: 2022-07-11\nnames: [" name "]\n"
#define ORDER_WITH_LIST(id, list) \
    "id: " id "\nauthority: A\nissued: 2022-07-11\nlists: [{file: " list ", format: names}]\n"

/* Reads forwarder.conf with these lines behind what is needed. */
static inline void configure(const char *lines)
{
    char path[SCRATCH_PATH_MAX], text[SET_TEXT_MAX], line[WHY_MAX] = "";
    int size =
        snprintf(text, sizeof text,
                 "listen: [{address: 127.0.0.1}]\nupstream: {servers: [{address: 192.0.2.53}]}\n"
                 "orders: orders\nstate: state\n%s%s",
                 lines, strstr(lines, "geo:") == NULL ? "geo: {database: country.mmdb}\n" : "");
    ck_assert_int_lt(size, SET_TEXT_MAX);
    put("forwarder.conf", text);
    config_free(config);
    problem_list_fini(&problems);
    config = config_read(scratch_path(&scratch, "forwarder.conf", path), &problems);
    if (problems.count > 0) {
        problem_format(&problems.items[0], line, sizeof line);
    }
    ck_assert_msg(config != NULL, "%s", line);
}

static inline void set_init(void)
{
    scratch_init(&scratch);
    problem_list_init(&problems);
    put_database("geoip2.mmdb");
    put("orders/IT/a.yaml", ORDER("A", "a.example"));
    configure("");
}

static inline void set_fini(void)
{
    config_free(config);
    config = NULL;
    problem_list_fini(&problems);
    scratch_fini(&scratch);
}

/* How a load is made; what is not said is what the daemon does. */
struct load {
    const struct generation *before;
    bool strict;
    bool read_only;
    bool accept_shrink;
    const struct file_identity *unfinished; /* one file that is being written, or NULL */
    int64_t now;                            /* 0: NOW */
    bool not_kept;                          /* the daemon is killed once it is in force */
};

/* As the daemon does once the generation is in force; what cannot be kept is a warning. */
static inline void keep_versions(struct generation *generation)
{
    char why[WHY_MAX];
    struct generation_keep *keep = generation_take_keep(generation);
    ck_assert_ptr_nonnull(keep);
    ck_assert_uint_eq(generation_keep_number(keep), generation->number);
    if (!generation_keep_write(keep, why)) {
        problem_list_add(&problems, PROBLEM_WARNING, config->state, 0, 0, "%s", why);
    }
    generation_keep_free(keep);
}

static inline struct generation *load(struct load how)
{
    static const uint8_t secret[EDNS_COOKIE_SECRET] = "process's secret";
    const struct generation_options options = {
        .config = config,
        .before = how.before,
        .strictness = how.strict ? GENERATION_STRICT : GENERATION_LENIENT,
        .accept_shrink = how.accept_shrink,
        .unfinished = how.unfinished,
        .unfinished_count = how.unfinished != NULL,
        .write_state = !how.read_only,
        .seed = 42,
        .now = how.now == 0 ? NOW : how.now,
        .process_cookie_secret = secret,
    };
    problem_list_fini(&problems);
    struct generation *generation = generation_load(&options, &problems);
    if (generation != NULL && !how.read_only && !how.not_kept) {
        keep_versions(generation);
    }
    return generation;
}

static inline int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "IT/a.yaml=A IT/b.yaml=B*": the orders in force by path, "*" behind last good versions; "none"
 * for no generation. */
static inline const char *orders_of(const struct generation *generation)
{
    static char text[SET_TEXT_MAX];
    char *lines[64];
    if (generation == NULL) {
        return "none";
    }
    size_t count = policy_order_count(generation->policy);
    for (size_t i = 0; i < count; i++) {
        const struct generation_order *order = &generation->orders[i];
        ck_assert_int_gt(asprintf(&lines[i], "%s=%s%s", order->path,
                                  policy_order(generation->policy, i)->id,
                                  order->last_good ? "*" : ""),
                         0);
    }
    qsort(lines, count, sizeof lines[0], compare_lines);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s", i == 0 ? "" : " ", lines[i]);
        free(lines[i]);
    }
    return text;
}

/* The problems of the last load, "; " between them, without the scratch folder; warnings have their
 * name in front. */
static inline const char *problems_text(void)
{
    static char text[SET_TEXT_MAX];
    size_t used = 0, root = strlen(scratch.folder) + 1;
    text[0] = '\0';
    for (size_t i = 0; i < problems.count; i++) {
        const struct problem *problem = &problems.items[i];
        char line[2 * WHY_MAX], *end;
        problem_format(problem, line, sizeof line);
        ck_assert_int_eq(strncmp(line, scratch.folder, root - 1), 0);
        while ((end = strstr(line + root, scratch.folder)) != NULL) {
            memmove(end, end + root, strlen(end + root) + 1);
        }
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s%s", i == 0 ? "" : "; ",
                                 problem->level == PROBLEM_WARNING ? "warning: " : "", line + root);
        ck_assert_uint_lt(used, sizeof text);
    }
    return text;
}

/* When the version of a file that is in force was first loaded. */
static inline int64_t loaded_of(const struct generation *generation, const char *path)
{
    for (size_t i = 0; i < policy_order_count(generation->policy); i++) {
        if (strcmp(generation->orders[i].path, path) == 0) {
            return generation->orders[i].loaded;
        }
    }
    return 0;
}

/* The order with this id, which is there. */
static inline const struct order *order_of(const struct generation *generation, const char *id)
{
    size_t i = 0;
    while (strcmp(policy_order(generation->policy, i)->id, id) != 0) {
        i++;
        ck_assert_uint_lt(i, policy_order_count(generation->policy));
    }
    return policy_order(generation->policy, i);
}

/* Frees the one before and returns the next. */
static inline struct generation *reload(struct generation *before)
{
    struct generation *next = load((struct load){.before = before});
    ck_assert_msg(next != NULL, "%s", problems_text());
    generation_free(before);
    return next;
}
