/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is blocked already for the clients of an order: by its own file, by its lists, by other
 * orders.
 */
#pragma once

#include "geo/country.h"
#include "policy/order_edit.h"

struct order_cover;
struct policy;

/* What is asked; all is borrowed. */
struct order_cover_options {
    const struct order *order;    /* as its file is now */
    const struct name_list *list; /* what a list of it holds by now, of format names and with the
                                   * seed ORDER_COVER_SEED; NULL: only what policy knows of it */
    const struct policy *policy;  /* all orders; NULL: nothing is known of others */
    bool last_good; /* policy has an older version of this order, since its file or a list has an
                     * error: it ends once they are mended, so it covers nothing */
    int64_t now;    /* seconds since the epoch */
};

/* NULL when memory is out. */
#define ORDER_COVER_SEED 0
struct order_cover *order_cover_new(const struct order_cover_options *options);
void order_cover_free(struct order_cover *cover); /* NULL is allowed */

enum order_cover_verdict {
    ORDER_COVER_FREE,
    ORDER_COVER_OWN,    /* the order itself blocks it; as long as the order */
    ORDER_COVER_OTHER,  /* for every country of the order another one does now and until
                         * this one ends; *by is its id */
    ORDER_COVER_EXCEPT, /* an exception of the order covers it: it would not be blocked */
};
enum order_cover_verdict order_cover_judge(const struct order_cover *cover,
                                           const struct order_edit_item *item, const char **by);
