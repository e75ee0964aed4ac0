/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Random orders of a few names that cover each other, with a naive copy of each. The same seed
 * gives the same orders.
 */
#pragma once

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/policy_make.h"
#include "test/policy_model.h"

#define BREXIT INT64_C(1580511600) /* GB leaves the EU */

static uint64_t random_state;

static inline uint32_t random_below(uint32_t bound)
{
    random_state = random_state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(random_state >> 33) % bound;
}

/* One of few names, so that they cover each other: at least so many labels under "test". */
static inline void random_name(char *out, size_t size, unsigned least_labels)
{
    unsigned labels = least_labels + random_below(4);
    size_t used = 0;
    for (unsigned i = 0; i < labels; i++) {
        used += (size_t)snprintf(out + used, size - used, "%c.", "ab"[random_below(2)]);
    }
    snprintf(out + used, size - used, "test");
}

static inline struct order_name random_order_name(unsigned least_labels, char *text, size_t size)
{
    static const enum name_kind kinds[] = {NAME_SUBTREE, NAME_SUBTREE, NAME_EXACT, NAME_EXCEPT};
    random_name(text, size, least_labels);
    return (struct order_name){.kind = kinds[random_below(4)], .name = name_of(text)};
}

static inline void random_list(struct model_order *model)
{
    static const char *const marks[] = {
        [NAME_SUBTREE] = "", [NAME_EXACT] = "=", [NAME_EXCEPT] = "!"};
    char bytes[512] = "";
    struct order *order = model->order;
    unsigned count = 1 + random_below(5);
    for (unsigned i = 0; i < count; i++) {
        char text[32];
        size_t used = strlen(bytes);
        struct order_name name = random_order_name(1, text, sizeof text);
        snprintf(bytes + used, sizeof bytes - used, "%s%s\n", marks[name.kind], text);
        model->names[model->name_count++] = name;
    }
    order->lists[order->list_count++] =
        (struct order_list){.path = strdup("list"), .names = list_of(bytes)};
}

static inline void random_scope(struct order_scope *scope)
{
    static const char *const codes[] = {"IT", "FR", "GB", "CH", "NO"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (random_below(4) == 0) {
            country_set_add(&scope->countries, country_of(codes[i]));
        }
    }
    scope->groups[COUNTRY_GROUP_EU] = random_below(3) == 0;
    scope->groups[COUNTRY_GROUP_EEA] = random_below(5) == 0;
    scope->unknown = random_below(3) == 0;
}

static inline void random_networks(struct model_order *model)
{
    static const char *const networks[] = {"192.0.2.0/25", "192.0.2.128/25", "2001:db8::/33"};
    char why[WHY_MAX];
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        if (random_below(5) == 0) {
            ck_assert(network_parse(networks[i], strlen(networks[i]),
                                    &model->networks[model->network_count++], why, sizeof why));
        }
    }
    model->order->except_networks = network_set_new(model->networks, model->network_count);
}

/* Dates lie around the day on which a country leaves a group. */
static inline int64_t random_instant(void)
{
    return BREXIT - 5 + random_below(10);
}

static inline void random_order(struct model_order *model, unsigned number)
{
    static const enum order_status states[] = {ORDER_ACTIVE, ORDER_ACTIVE,    ORDER_ACTIVE,
                                               ORDER_ACTIVE, ORDER_SUSPENDED, ORDER_LIFTED};
    char text[32];
    struct order *order = order_new();
    *model = (struct model_order){.order = order};
    snprintf(text, sizeof text, "%c%u", "AaZz"[random_below(4)], number);
    order->id = strdup(text);
    order->status = states[random_below(6)];
    order->action = (enum order_action)random_below(ORDER_SHADOW + 1);
    order->effective = random_below(2) == 0 ? ORDER_ALWAYS : random_instant();
    order->end = random_below(2) == 0 ? ORDER_FOR_GOOD : random_instant();
    random_scope(&order->scope);
    random_networks(model);
    order->names = calloc(8, sizeof *order->names);
    order->name_count = random_below(8);
    for (size_t i = 0; i < order->name_count; i++) {
        order->names[i] = random_order_name(0, text, sizeof text);
        if (random_below(40) == 0) {
            order->names[i].name = name_of(".");
        }
        model->names[model->name_count++] = order->names[i];
    }
    order->lists = calloc(3, sizeof *order->lists);
    for (unsigned i = random_below(4); i > 1; i--) {
        random_list(model);
    }
}
