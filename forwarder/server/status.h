/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The daemon's state as `bailiwick status` shows it: a JSON object (interfaces section 5), made
 * from what the main thread holds and what the workers count.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct generation;
struct problem_list;
struct tally;
struct upstream_set;
struct worker;

struct status_view {
    int64_t started;
    int64_t now;
    const struct generation *generation;
    const struct problem_list *refused; /* of the last load, if that gave no generation */
    int64_t refused_since;
    const struct upstream_set *upstreams;
    struct worker *const *workers;
    size_t worker_count;
    uint64_t kept;            /* the newest generation that is all under state; 0: none */
    const char *keep_problem; /* why something is not; NULL: everything is, or will be */
    int64_t keep_problem_since;
    bool watched;              /* edits of others are noticed */
    const char *watch_problem; /* why some are not; NULL: all are */
    int64_t watch_problem_since;
    unsigned connections;      /* client streams */
    const struct tally *tally; /* all generations, those in use included */
};

/* A new reference; NULL when memory is out. */
json_t *status_json(const struct status_view *view);

/* {"file", "line", "column", "error" or "warning", "since"} for each problem of one level. */
json_t *status_problems(const struct problem_list *problems, int level, int64_t since);
