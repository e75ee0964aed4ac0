/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An item of names, exact or except: a name, or a mapping of a name with dates and a ticket of its
 * own. Internal to the reading of orders (policy/order_reader.h).
 */
#pragma once

#include "policy/order_reader.h"

struct order_item {
    struct yaml_node place; /* of the name */
    struct order_name name; /* the caller owns its ticket; its kind is left alone */
};

/* Reads an item; a term that it has of its own is added to order->terms. The dates of the order
 * have been read before. False after a problem, and *out then owns nothing. */
bool order_items_read(struct order_reader *reader, struct yaml_node node, struct order_item *out);

/* Makes names with equal terms share one, once all items are read. False after a problem. */
bool order_items_share_terms(struct order_reader *reader);
