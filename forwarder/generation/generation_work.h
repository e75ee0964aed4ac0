/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the parts of one load share (generation*.c only): what was asked for, what was found so far,
 * and what of it must be kept under `state` once the load has succeeded. And what a generation
 * remembers for the next load. Nothing here outlives the load but the result, and what
 * generation_keep.c takes out of it.
 */
#pragma once

#include "forwarder/generation/generation.h"
#include "geo/file_stream.h"
#include "policy/dname.h"
#include "policy/order_folder.h"

struct generation_lists;
struct guard;
struct order;
struct state_version;

/* An order in force and its file. */
struct generation_source {
    const char *path;    /* that of generation->orders[index] */
    struct order *order; /* one reference */
    size_t index;        /* of policy_order() */
};

struct generation_private {
    struct generation_source *sources; /* by path */
    size_t source_count;
    struct generation_lists *lists;
    struct file_bytes protected_names;    /* as in force; without bytes: none */
    struct file_bytes protected_networks; /* likewise */
    uint8_t overrides_sha256[FILE_BYTES_SHA256];
    enum geo_field geo_field; /* that the database was opened with */
    uint8_t soa_rname[DNAME_MAX];
    struct generation_keep *keep; /* until it is taken */
};

/* A list as an order file names it, and its file as it was read. */
struct generation_list_file {
    char *path;
    char *place;  /* where the file lies: file.path; both below the orders folder, or absolute */
    size_t names; /* that it gave, once it is to be kept */
    struct file_stream_known file;
};

/* One order file on its way into the generation. */
struct generation_candidate {
    char *path; /* below the orders folder */
    struct order_folder_scope scope;
    struct order *order; /* what comes into force; NULL: the file is left out */
    int64_t loaded;
    bool last_good; /* order is not what the file on disk says */

    char *held_id;   /* of the order that this file was until now, or NULL */
    bool failed;     /* the file on disk has an error */
    char *failed_id; /* that it claims all the same, as far as it can be read, or NULL */
    bool hashed;     /* it could be read at all: sha256 is its digest */
    uint8_t sha256[FILE_BYTES_SHA256];

    struct file_bytes file; /* what is to be kept under state; without bytes: nothing is */
    struct generation_list_file *lists; /* that the file names; kept beside it in that case */
    size_t list_count;
};

struct generation_work {
    const struct generation_options *options;
    struct problem_list *problems;
    struct generation *result;
    struct guard *guard;
    bool unusable; /* whatever else is right, no generation can come of this load */

    struct file_bytes overrides; /* to be kept under state, if they are new and good */

    struct order_folder folder;
    bool folder_read;
    struct generation_candidate *candidates; /* by path once all are read */
    size_t count;
};

/* A file's name for people: the orders folder as configured and the path below it. Returns out. */
#define GENERATION_NAME_MAX 4096
char *generation_order_name(const struct generation_work *work, const char *path,
                            char out[static GENERATION_NAME_MAX]);

/* Is somebody writing this file (below dir, or AT_FDCWD)? Then it is not read, and why says so. */
bool generation_is_unfinished(const struct generation_work *work, int dir, const char *path,
                              char why[static WHY_MAX]);

/* The order that a file became in a generation, or NULL; generation may be NULL. */
const struct generation_source *generation_find_source(const struct generation *generation,
                                                       const char *path);

/* Was the same protected when two generations were loaded? */
bool generation_same_guard(const struct generation *a, const struct generation *b);

/* Were two orders read from the same bytes, lists included? */
bool generation_same_version(const struct order *a, const struct order *b);

/* Is this kept version, whose digests are right, good enough not to be written again? At a start
 * its bytes are compared as well, so that a damaged copy is replaced while its file is still good.
 */
bool generation_is_kept_well(bool at_start, const struct state_version *kept);

/* Is it certain that there is no such file below the orders folder (-1: it could not be read)? A
 * file that cannot be seen for another reason is not gone. */
bool generation_order_is_gone(int folder, const char *path);

void generation_list_files_free(struct generation_list_file *lists, size_t count);
