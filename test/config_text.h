/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Texts of forwarder.conf for the tests of config: a minimal one, ways to put something into it,
 * and parsing with the problems as text. Each test binary includes it once.
 */
#pragma once

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "forwarder/config/config.h"

#define LISTEN "listen: [{address: 127.0.0.1}]\n"
#define UPSTREAM "upstream: {servers: [{address: 192.0.2.53}]}\n"
#define FILES "geo: {database: a.mmdb}\norders: orders\n"
#define MINIMAL LISTEN UPSTREAM FILES /* four lines */

#define WITH(snippet) MINIMAL snippet
#define LISTENING(item) "listen: [" item "]\n" UPSTREAM FILES
#define SERVER(item) LISTEN "upstream: {servers: [" item "]}\n" FILES
#define ASKING(rows) LISTEN "upstream: {servers: [{address: 192.0.2.1}], " rows "}\n" FILES
#define GEO(rows) LISTEN UPSTREAM "geo: {database: a, " rows "}\norders: o\n"

/* All problems of one level, a line each, without the file's name. */
#define TEXT_MAX 4096
static void format_problems(const struct problem_list *problems, enum problem_level level,
                            char out[static TEXT_MAX])
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        ck_assert_str_eq(problem->file, "/etc/bailiwick/forwarder.conf");
        if (problem->level == level) {
            used += (size_t)snprintf(out + used, TEXT_MAX - used, "%u:%u: %s\n", problem->line,
                                     problem->column, problem->text);
            ck_assert_uint_lt(used, TEXT_MAX);
        }
    }
}

static struct config *parse(const char *yaml, char errors[static TEXT_MAX])
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct config *config =
        config_parse("/etc/bailiwick/forwarder.conf", yaml, strlen(yaml), &problems);
    format_problems(&problems, PROBLEM_ERROR, errors);
    problem_list_fini(&problems);
    return config;
}

static inline struct config *parse_good(const char *yaml)
{
    char errors[TEXT_MAX];
    struct config *config = parse(yaml, errors);
    ck_assert_msg(config != NULL, "%s", errors);
    ck_assert_str_eq(errors, "");
    return config;
}
