/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The life of an order and the words for its actions and states. An order owns every text and array
 * it points at, and one reference of each of its lists.
 */
#include "policy/order.h"

#include <stdlib.h>
#include <string.h>

struct order *order_new(void)
{
    struct order *order = calloc(1, sizeof *order);
    if (order == NULL) {
        return NULL;
    }
    order->disclose = true;
    order->effective = ORDER_ALWAYS;
    order->end = ORDER_FOR_GOOD;
    order->review = ORDER_FOR_GOOD;
    atomic_init(&order->references, 1);
    return order;
}

struct order *order_ref(struct order *order)
{
    atomic_fetch_add_explicit(&order->references, 1, memory_order_relaxed);
    return order;
}

static void order_free(struct order *order)
{
    for (size_t i = 0; i < order->list_count; i++) {
        name_list_unref(order->lists[i].names);
        free(order->lists[i].path);
    }
    free(order->lists);
    free(order->names);
    network_set_free(order->except_networks);
    for (size_t i = 0; i < order->record_count; i++) {
        free(order->records[i].key);
        free(order->records[i].value);
    }
    free(order->records);
    char *const texts[] = {order->id,        order->authority,   order->title,
                           order->reference, order->legal_basis, order->issued,
                           order->received,  order->deadline,    order->message};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        free(texts[i]);
    }
    free(order);
}

void order_unref(struct order *order)
{
    if (order != NULL &&
        atomic_fetch_sub_explicit(&order->references, 1, memory_order_acq_rel) == 1) {
        order_free(order);
    }
}

bool order_scope_has(const struct order_scope *scope, struct country country, int64_t now)
{
    if (!country_known(country)) {
        return scope->unknown;
    }
    if (country_set_has(&scope->countries, country)) {
        return true;
    }
    for (unsigned group = 0; group < COUNTRY_GROUPS; group++) {
        if (scope->groups[group] && country_group_has((enum country_group)group, country, now)) {
            return true;
        }
    }
    return false;
}

/* ---- Words ---- */

static const char *const action_names[] = {
    [ORDER_REFUSED] = "refused", [ORDER_NXDOMAIN] = "nxdomain", [ORDER_NODATA] = "nodata",
    [ORDER_ADDRESS] = "address", [ORDER_DROP] = "drop",         [ORDER_SHADOW] = "shadow",
};

static const char *const status_names[] = {
    [ORDER_ACTIVE] = "active",
    [ORDER_SUSPENDED] = "suspended",
    [ORDER_LIFTED] = "lifted",
};

/* The index of a word in its table; count if it is none of them. */
static size_t word_find(const char *const *words, size_t count, const char *text, size_t len)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(words[i]) == len && memcmp(words[i], text, len) == 0) {
            return i;
        }
    }
    return count;
}

const char *order_action_name(enum order_action action)
{
    return action_names[action];
}

bool order_action_parse(const char *text, size_t len, enum order_action *out)
{
    const size_t count = sizeof action_names / sizeof *action_names;
    size_t found = word_find(action_names, count, text, len);
    if (found == count) {
        return false;
    }
    *out = (enum order_action)found;
    return true;
}

const char *order_status_name(enum order_status status)
{
    return status_names[status];
}

bool order_status_parse(const char *text, size_t len, enum order_status *out)
{
    const size_t count = sizeof status_names / sizeof *status_names;
    size_t found = word_find(status_names, count, text, len);
    if (found == count) {
        return false;
    }
    *out = (enum order_status)found;
    return true;
}
