/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The life of an order and the words for its states. An order owns every text and array
 * it points at, and one reference of each of its lists.
 */
#include "policy/order.h"

#include <stdlib.h>
#include <string.h>

#include "policy/instant_offsets.h"
#include "policy/network_rules.h"

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
    for (size_t i = 0; i < order->name_count; i++) {
        free(order->names[i].ticket);
    }
    free(order->names);
    free(order->terms);
    free(order->any_tld);
    network_rules_free(order->answers);
    free(order->scope.subdivisions);
    network_set_free(order->except_networks);
    free(order->windows);
    instant_offsets_free(order->offsets);
    for (size_t i = 0; i < order->message_count; i++) {
        free(order->messages[i].language);
        free(order->messages[i].text);
    }
    free(order->messages);
    for (size_t i = 0; i < order->record_count; i++) {
        free(order->records[i].key);
        free(order->records[i].value);
    }
    free(order->records);
    char *const texts[] = {order->id,          order->authority, order->title,    order->reference,
                           order->legal_basis, order->issued,    order->received, order->deadline};
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

/* Is the country in one of the scope's groups? */
static bool groups_have(const struct order_scope *scope, struct country country, int64_t now)
{
    for (unsigned group = 0; group < COUNTRY_GROUPS; group++) {
        if (scope->groups[group] && country_group_has((enum country_group)group, country, now)) {
            return true;
        }
    }
    return false;
}

bool order_scope_has(const struct order_scope *scope, struct country country, int64_t now)
{
    if (!country_known(country)) {
        return scope->unknown;
    }
    return country_set_has(&scope->countries, country) || groups_have(scope, country, now);
}

/* Is the client in a part of a country that the scope names? */
static bool subdivisions_hold(const struct order_scope *scope, struct country country,
                              const struct subdivisions *within)
{
    for (size_t i = 0; i < scope->subdivision_count; i++) {
        if (subdivision_holds(&scope->subdivisions[i], country, within)) {
            return true;
        }
    }
    return false;
}

/* Apart, so that scopes which name the country itself do not pay for the others. */
static __attribute__((noinline)) bool holds_by_part(const struct order_scope *scope,
                                                    struct country country,
                                                    const struct subdivisions *within, int64_t now)
{
    return order_scope_has(scope, country, now) || subdivisions_hold(scope, country, within);
}

bool order_scope_holds(const struct order_scope *scope, struct country country,
                       const struct subdivisions *within, int64_t now)
{
    return (country_known(country) && country_set_has(&scope->countries, country)) ||
           holds_by_part(scope, country, within, now);
}

/* ---- Words ---- */

static const char *const status_names[] = {
    [ORDER_ACTIVE] = "active",
    [ORDER_SUSPENDED] = "suspended",
    [ORDER_LIFTED] = "lifted",
};

const char *order_status_name(enum order_status status)
{
    return status_names[status];
}

bool order_status_parse(const char *text, size_t len, enum order_status *out)
{
    const size_t count = sizeof status_names / sizeof *status_names;
    for (size_t i = 0; i < count; i++) {
        if (strlen(status_names[i]) == len && memcmp(status_names[i], text, len) == 0) {
            *out = (enum order_status)i;
            return true;
        }
    }
    return false;
}
