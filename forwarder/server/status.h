/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The daemon's state as `bailiwick status` shows it: a JSON object (bailiwick(1)), made
 * from what the main thread holds and what the workers count.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forwarder/counters.h"
#include "forwarder/server/audit_writer.h"
#include "forwarder/server/block_counts.h"
#include "forwarder/trouble.h"

struct generation;
struct problem_list;
struct reload_record;
struct tally;
struct tap;
struct upstream_set;
struct worker;

struct status_view {
    int64_t started;
    int64_t now;
    const struct generation *generation;
    const struct problem_list *refused; /* of the last load, if that gave no generation */
    int64_t refused_since;
    const struct upstream_set *upstreams;
    int64_t all_drained_since; /* none of them is left to ask; 0: one is */
    struct worker *const *workers;
    size_t worker_count;
    const struct counters *retired; /* what workers that are gone had counted */
    uint64_t retired_drops;
    const struct listener_view_left *left; /* what closed sockets had dropped */
    uint64_t kept;                   /* the newest generation that is all under state; 0: none */
    const struct trouble *unkept;    /* why something is not; else everything is, or will be */
    bool watched;                    /* edits of others are noticed */
    const struct trouble *unwatched; /* why some are not; else all are */
    bool clock_wrong; /* it is before the day this program was made, and not believed */
    int64_t clock_wrong_since;
    unsigned connections;      /* client streams */
    const struct tap *tap;     /* NULL: no dnstap */
    const struct tally *tally; /* all generations, those in use included */
    const struct reload_record *reloads;
    struct audit_writer_state audit;
    struct block_counts_state blocks;
};

/* Sums over all workers. */
uint64_t status_counter(const struct status_view *view, enum counter counter);

struct status_country {
    uint64_t queries;
    uint64_t blocked;
};
struct status_country status_country(const struct status_view *view, unsigned index);

/* The code of a country by its index (country.h); "unknown". */
#define STATUS_COUNTRY_MAX 8
void status_country_name(unsigned index, char out[static STATUS_COUNTRY_MAX]);

/* Each function below returns a new reference, or NULL when memory is out. */

/* The counters alone: a part of status_json. */
json_t *status_counts_json(const struct status_view *view);

/* All of it. */
json_t *status_json(const struct status_view *view);

/* {"address", "up", "drained", "outstanding"} and more for each server. */
json_t *status_upstreams(const struct upstream_set *set);

/* {"file", "line", "column", "error" or "warning", "since"} for each problem of one level. */
json_t *status_problems(const struct problem_list *problems, int level, int64_t since);

/* A warning of the daemon, not of a load, about a folder or a file. */
json_t *status_own_warning(const char *file, const char *text, int64_t since);
