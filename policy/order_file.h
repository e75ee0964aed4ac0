/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From the bytes of an order file (YAML, bailiwick-orders(5)) to struct order, with every problem
 * of the file at its line and column. Files it refers to (lists) come through a callback, so that
 * the caller decides where they are read from (the orders folder, or the last good copies under
 * state) and whether an unchanged list's sealed names can be used again.
 */
#pragma once

#include <stdint.h>

#include "geo/problem.h"
#include "policy/order.h"
#include "policy/order_folder_scope.h"

struct guard;
struct name_list_options;

/* Do the database or the overrides say which clients are in a subdivision? */
enum order_file_place {
    ORDER_FILE_PLACE_KNOWN,
    ORDER_FILE_PLACE_EMPTY,   /* not this one, but others */
    ORDER_FILE_PLACE_UNKNOWN, /* they know no subdivisions at all */
};
typedef enum order_file_place order_file_place_fn(void *ctx, const struct subdivision *subdivision);

/* Opens a list for an order: returns its names (one reference for the caller) and its SHA-256, or
 * NULL with at least one error in problems. options carries the order's allow-wide, on-error and
 * seed; options->name is the path as written in the order. */
typedef struct name_list *order_file_list_fn(void *ctx, const struct name_list_options *options,
                                             uint8_t sha256[static FILE_BYTES_SHA256],
                                             struct problem_list *problems);

struct order_file_env {
    struct order_folder_scope folder;
    const struct guard *guard;
    enum order_action default_action; /* block.action */
    uint64_t seed;                    /* of suffix maps */
    int64_t now;                      /* for warnings: ended, past review */
    order_file_list_fn *open_list;
    order_file_place_fn *find_place; /* NULL: every subdivision is taken as known */
    void *ctx;
};

/* name is what problems call the file. NULL if there is any error; warnings may come with an order.
 */
struct order *order_file_parse(const struct order_file_env *env, const char *name,
                               const struct file_bytes *bytes, struct problem_list *problems);
