/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A generation: orders, lists, overrides, database and block settings as one immutable unit, in
 * force together from one pointer swap to the next. It is loaded by the same code in the loader's
 * thread and in the operator's tool. Each file is judged alone: one with an
 * error keeps its last good version (from the generation before, or from the state folder after a
 * restart), and is named in the problems until it is mended.
 *
 * Owns everything it points to. Knows no sockets and no threads; whoever publishes it decides
 * when it may be freed (server_reload.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "forwarder/config/config.h"
#include "forwarder/wire/edns.h"
#include "geo/problem.h"

struct file_identity;
struct generation_keep;
struct geo_db;
struct order_folder_entry;
struct order_texts;
struct overrides;
struct policy;
struct tls_pair;
struct tls_tickets;

/* Where an order of the generation comes from; by index of policy_order(). */
struct generation_order {
    char *path;     /* below the orders folder */
    int64_t loaded; /* when this version of the file was first loaded */
    bool last_good; /* the file on disk has an error; this is the version before it */
};

/* A problem that stands, and since when. */
struct generation_problem {
    enum problem_level level;
    char *file;
    unsigned line;
    unsigned column;
    char *text;
    int64_t since;
};

struct generation {
    uint64_t number; /* from 1, one more at each successful load of a process */
    int64_t loaded;  /* seconds since the epoch */

    struct config *config; /* the configuration it was loaded with; borrowed, outlives it */
    struct policy *policy;
    struct geo_db *db;
    struct overrides *overrides; /* NULL: none */
    bool db_last_good;
    bool overrides_last_good;

    struct tls_pair **pairs; /* certificates and keys of listeners (generation_tls.h) */
    size_t pair_count;

    uint8_t cookie_secret[EDNS_COOKIE_SECRET];
    struct span soa_rname; /* wire form from the first mailto contact; empty: none */

    struct generation_order *orders; /* policy_order_count() of them */
    struct order_texts *texts;       /* of each order: what it tells clients */
    char **outside; /* absolute paths of lists outside the orders folder, usable or not */
    size_t outside_count;

    struct generation_problem *problems;
    size_t problem_count;
    size_t error_count;

    struct generation_private *private; /* what the next load compares against */
};

enum generation_strictness {
    GENERATION_LENIENT, /* each file alone; last good versions fill in */
    GENERATION_STRICT,  /* any error: no new generation */
};

struct generation_options {
    struct config *config;
    const struct generation *before; /* in force now; NULL at a start and in the tool */
    enum generation_strictness strictness;
    /* Read only this order, not the orders folder, and as if it were active and had no windows;
     * NULL: the folder. */
    const struct order_folder_entry *only;
    bool accept_shrink;                     /* lists may lose more than half of their names */
    const struct file_identity *unfinished; /* files that somebody is writing: not read */
    size_t unfinished_count;
    bool write_state;            /* collect what to keep under config->state: for the daemon */
    struct tls_tickets *tickets; /* of the process, for its TLS; NULL: nothing is served */
    uint64_t seed;               /* of suffix maps; the same for all generations of a process */
    int64_t now;                 /* seconds since the epoch */
    const uint8_t *process_cookie_secret; /* EDNS_COOKIE_SECRET octets, used without a file */
};

/* Loads everything. NULL if no usable generation came of it: at a start, without any database
 * (neither on disk nor under state) or with protected names that cannot be read; strict, with any
 * error. Then problems hold every reason, and nothing has changed. Otherwise the result is
 * complete, and problems hold what was wrong with single files; the result keeps copies of them
 * all, those that the caller had found before included, and of each since when it stands.
 *
 * If the orders folder itself cannot be read, every order keeps its last good version; one that
 * blocks what has been protected since is left out. Each order that is new, changed, removed,
 * failed or kept at its last good version is logged with id and SHA-256. */
struct generation *generation_load(const struct generation_options *options,
                                   struct problem_list *problems);

/* Hands over, once, what is to be written under state for this generation; the caller owns it. NULL
 * if that was not asked for, or no memory was left for it. */
struct generation_keep *generation_take_keep(struct generation *generation);

/* The SHA-256 of the overrides in force; there must be some. */
const uint8_t *generation_overrides_sha256(const struct generation *generation);

/* Nobody may use it any more. NULL is allowed. */
void generation_free(struct generation *generation);

/* Logs each order that began or ended in (from, to], with id and SHA-256. */
void generation_log_changes(const struct generation *generation, int64_t from, int64_t to);
