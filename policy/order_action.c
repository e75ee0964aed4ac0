/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The words for actions.
 */
#include "policy/order_action.h"

#include <string.h>

static const char *const names[] = {
    [ORDER_REFUSED] = "refused", [ORDER_NXDOMAIN] = "nxdomain", [ORDER_NODATA] = "nodata",
    [ORDER_ADDRESS] = "address", [ORDER_CNAME] = "cname",       [ORDER_DROP] = "drop",
    [ORDER_SHADOW] = "shadow",   [ORDER_TCP_ONLY] = "tcp-only", [ORDER_LOCAL] = "local data",
};

const char *order_action_name(enum order_action action)
{
    return names[action];
}

bool order_action_parse(const char *text, size_t len, enum order_action *out)
{
    for (size_t i = 0; i <= ORDER_SHADOW; i++) {
        if (strlen(names[i]) == len && memcmp(names[i], text, len) == 0) {
            *out = (enum order_action)i;
            return true;
        }
    }
    return false;
}

bool order_action_target(const struct dname *target, const struct dname *qname, struct dname *out)
{
    uint8_t wire[2 * DNAME_MAX];
    bool wildcard = target->labels > 1 && target->wire[0] == 1 && target->wire[1] == '*';
    if (!wildcard) {
        *out = *target;
        return true;
    }
    size_t above = qname->size - 1U, below = target->size - 2U; /* without the root, and "*" */
    memcpy(wire, qname->wire, above);
    memcpy(wire + above, target->wire + 2, below);
    return dname_decode(wire, above + below, out);
}
