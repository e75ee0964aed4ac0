/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is answered where an order blocks: the actions, and the rules of response policy zones,
 * which bring an action and data of their own.
 */
#pragma once

#include "policy/dname.h"

enum order_action {
    ORDER_REFUSED,
    ORDER_NXDOMAIN,
    ORDER_NODATA,
    ORDER_ADDRESS,
    ORDER_CNAME,
    ORDER_DROP,
    ORDER_SHADOW,
    /* Of response policy zones alone; no order file can ask for them. */
    ORDER_TCP_ONLY, /* an empty answer with TC=1; binds no query that came over a stream */
    ORDER_LOCAL,    /* the records of the rule that have the type asked for; else as nodata */
};

const char *order_action_name(enum order_action action);

/* Reads an action as order files write it; false for those of response policy zones. */
bool order_action_parse(const char *text, size_t len, enum order_action *out);

/* The name that a target leads a qname to: the target itself, or, where its first label is "*" and
 * not the only one, which response policy zones alone can say, that with the qname in place of the
 * label. False if it would be longer than a name can be. */
bool order_action_target(const struct dname *target, const struct dname *qname, struct dname *out);

/* A record of a rule, without its owner: that is the qname. */
struct order_rule_record {
    uint16_t type; /* A, AAAA or TXT */
    uint16_t size;
    uint8_t *data; /* RDATA; holds no names */
};

/* An action that a list brings along, in place of its order's own. */
struct order_rule {
    enum order_action action;
    struct dname target; /* ORDER_CNAME; of order_action_target */
    struct order_rule_record *records;
    size_t record_count; /* ORDER_LOCAL: at least 1 */
};
