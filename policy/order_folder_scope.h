/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The place that a folder of orders stands for, by its name: IT, EU, US-CA.
 */
#pragma once

#include "geo/problem.h"
#include "policy/order.h"

/* The folder an order lies in: one country, a group, or a part of a country. */
struct order_folder_scope {
    bool is_group;
    enum country_group group;
    struct country country;         /* of one country; unknown for a part of it */
    struct subdivision subdivision; /* of a part alone */
};

/* Reads "IT", "EU", "EEA" or "US-CA" (a folder's name). False with a sentence: none of these, or
 * lower case. */
bool order_folder_scope_parse(const char *name, struct order_folder_scope *out,
                              char why[static WHY_MAX]);

/* Room for the name of any folder with its terminating NUL. */
#define ORDER_FOLDER_SCOPE_MAX 8

/* The name of such a folder. Returns out. */
char *order_folder_scope_format(const struct order_folder_scope *scope,
                                char out[static ORDER_FOLDER_SCOPE_MAX]);

/* Do both stand for the same folder? */
bool order_folder_scope_equal(const struct order_folder_scope *a,
                              const struct order_folder_scope *b);

/* Does a scope hold all clients of the place that a folder stands for? For a group: does it name
 * the group? */
bool order_folder_scope_held(const struct order_folder_scope *folder,
                             const struct order_scope *scope, int64_t now);

/* Does it hold at least some of them? */
bool order_folder_scope_touched(const struct order_folder_scope *folder,
                                const struct order_scope *scope, int64_t now);
