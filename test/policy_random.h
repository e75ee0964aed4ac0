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

#include "policy/instant.h"
#include "policy/instant_offsets.h"
#include "policy/network_rules.h"
#include "test/policy_make.h"
#include "test/policy_model.h"

#define BREXIT INT64_C(1580511600) /* GB leaves the EU: midnight in Rome, a Saturday begins */
#define ROME_OFFSET_S 3600         /* on that day */

static uint64_t random_state;

static inline uint32_t random_below(uint32_t bound)
{
    random_state = random_state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(random_state >> 33) % bound;
}

/* One of few names, so that they cover each other: at least so many labels under a suffix. */
static inline void random_name(char *out, size_t size, unsigned least_labels)
{
    static const char *const suffixes[] = {"test", "test", "test", "co.uk"};
    unsigned labels = least_labels + random_below(4);
    size_t used = 0;
    for (unsigned i = 0; i < labels; i++) {
        used += (size_t)snprintf(out + used, size - used, "%c.", "ab"[random_below(2)]);
    }
    snprintf(out + used, size - used, "%s", suffixes[random_below(4)]);
}

static inline struct dname random_dname(unsigned least_labels)
{
    char text[32];
    random_name(text, sizeof text, least_labels);
    return name_of(text);
}

/* Dates lie around the day on which a country leaves a group. */
static inline int64_t random_instant(void)
{
    return BREXIT - 5 + random_below(10);
}

static inline struct model_item *random_item(struct model_order *model, int source)
{
    struct model_item *item = &model->items[model->item_count++];
    *item = (struct model_item){.source = source, .effective = ORDER_ALWAYS, .end = ORDER_FOR_GOOD};
    return item;
}

/* ---- Order files ---- */

static inline void random_terms(struct order *order)
{
    order->terms = calloc(2, sizeof *order->terms);
    while (order->term_count < 2) {
        order->terms[order->term_count++] = (struct order_term){
            .effective = random_below(3) == 0 ? ORDER_ALWAYS : random_instant(),
            .end = random_below(3) == 0 ? ORDER_FOR_GOOD : random_instant() + 1,
        };
    }
}

/* plain: nothing but names that are blocked with all below them, without dates. */
static inline void random_names(struct model_order *model, bool plain)
{
    static const enum name_kind kinds[] = {NAME_SUBTREE, NAME_SUBTREE, NAME_SUBTREE, NAME_EXACT,
                                           NAME_EXACT,   NAME_EXCEPT,  NAME_EXCEPT,  NAME_PASS};
    static const char *const tickets[] = {NULL, NULL, "17", "18"};
    struct order *order = model->order;
    random_terms(order);
    order->names = calloc(8, sizeof *order->names);
    order->name_count = random_below(8);
    for (size_t i = 0; i < order->name_count; i++) {
        struct model_item *item = random_item(model, MODEL_IN_FILE);
        struct order_name *name = &order->names[i];
        const char *ticket = plain ? NULL : tickets[random_below(4)];
        name->kind = plain ? NAME_SUBTREE : kinds[random_below(8)];
        name->name = random_below(40) == 0 ? name_of(".") : random_dname(0);
        name->term = plain || random_below(2) == 0 ? 0 : random_below(3);
        name->ticket = ticket == NULL ? NULL : strdup(ticket);
        item->kind = name->kind;
        item->name = name->name;
        item->ticket = ticket;
        if (name->term > 0) {
            item->effective = order->terms[name->term - 1].effective;
            item->end = order->terms[name->term - 1].end;
        }
    }
    order->any_tld = calloc(1, sizeof *order->any_tld);
    if (!plain && random_below(4) == 0) {
        order->any_tld[order->any_tld_count++] = name_of(random_below(2) == 0 ? "a" : "co");
    }
}

/* In the order of their texts, as an order has them. */
static const char *const random_part_codes[] = {"GB-ENG", "GB-WSX", "IT-25", "IT-MI", "US-CA"};
#define RANDOM_PARTS (sizeof random_part_codes / sizeof *random_part_codes)

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
    scope->subdivisions = calloc(RANDOM_PARTS, sizeof *scope->subdivisions);
    for (size_t i = 0; i < RANDOM_PARTS; i++) {
        if (random_below(6) == 0) {
            const char *code = random_part_codes[i];
            DEMAND(subdivision_parse(code, strlen(code),
                                     &scope->subdivisions[scope->subdivision_count++]),
                   "%s", code);
        }
    }
}

static inline struct network random_network(void)
{
    static const char *const networks[] = {"192.0.2.0/25", "192.0.2.128/25", "2001:db8::/48",
                                           "192.0.2.1/32", "192.0.2.0/24"};
    struct network network;
    char why[WHY_MAX];
    const char *text = networks[random_below(5)];
    DEMAND(network_parse(text, strlen(text), &network, why, sizeof why), "%s: %s", text, why);
    return network;
}

/* Networks of clients that are excepted, and addresses in answers. */
static inline void random_networks(struct model_order *model)
{
    struct network_rule answers[2];
    while (model->excepted_count < 2 && random_below(4) == 0) {
        model->excepted[model->excepted_count++] = random_network();
    }
    model->order->except_networks = network_set_new(model->excepted, model->excepted_count);
    while (model->answer_count < 2 && random_below(3) == 0) {
        struct network network = random_network();
        answers[model->answer_count] = (struct network_rule){network, 0};
        model->answers[model->answer_count++] =
            (struct model_network){.network = network, .source = MODEL_IN_FILE};
    }
    model->order->answers = network_rules_new(answers, model->answer_count);
}

/* Windows that begin and end within seconds of the midnight around which all happens. */
static inline void random_windows(struct model_order *model, const struct instant_zone *rome)
{
    static const uint32_t seconds[] = {86394, 86397, 86399, 0, 1, 3, 6, 43200, 86400};
    struct order *order = model->order;
    model->utc_offset = ROME_OFFSET_S;
    if (random_below(3) != 0) {
        return;
    }
    order->windows = calloc(MODEL_WINDOWS_MAX, sizeof *order->windows);
    order->offsets = instant_offsets_new(rome);
    order->window_count = 1 + random_below(MODEL_WINDOWS_MAX);
    for (size_t i = 0; i < order->window_count; i++) {
        order->windows[i] = (struct order_window){.days = (uint8_t)(1 + random_below(127)),
                                                  .from_s = seconds[random_below(8)],
                                                  .to_s = seconds[random_below(9)]};
    }
}

/* ---- Lists ---- */

static inline void random_take_list(struct order *order, struct name_list *list)
{
    order->lists[order->list_count++] = (struct order_list){.path = strdup("list"), .names = list};
}

/* format: names. */
static inline void random_names_list(struct model_order *model, bool plain)
{
    static const char *const marks[] = {
        [NAME_SUBTREE] = "", [NAME_EXACT] = "=", [NAME_EXCEPT] = "!"};
    static const enum name_kind kinds[] = {NAME_SUBTREE, NAME_SUBTREE, NAME_EXACT, NAME_EXCEPT};
    char bytes[512];
    size_t used = 0;
    for (unsigned left = 1 + random_below(5); left > 0; left--) {
        struct model_item *item = random_item(model, (int)model->order->list_count);
        char text[32];
        random_name(text, sizeof text, 1);
        item->kind = plain ? NAME_SUBTREE : kinds[random_below(4)];
        item->name = name_of(text);
        used +=
            (size_t)snprintf(bytes + used, sizeof bytes - used, "%s%s\n", marks[item->kind], text);
    }
    random_take_list(model->order, list_of(bytes));
}

/* What a record of a response policy zone does. A name alone and one for all below it have no rule
 * in common, so that the reader does not make one of two records. */
struct random_rule {
    const char *data;
    enum order_action action;
    bool passes;
};

static const struct random_rule random_rules_exact[] = {
    {"CNAME .", ORDER_NXDOMAIN, false},
    {"A 192.0.2.99", ORDER_LOCAL, false},
    {"CNAME rpz-passthru.", ORDER_REFUSED, true},
};
static const struct random_rule random_rules_below[] = {
    {"CNAME *.", ORDER_NODATA, false},
    {"CNAME rpz-drop.", ORDER_DROP, false},
    {"CNAME rpz-passthru.", ORDER_REFUSED, true},
};

/* Has the list an item with this owner already? The zone would be wrong then. */
static inline bool random_has_owner(const struct model_order *model, int source, bool below,
                                    const struct dname *name)
{
    for (size_t i = 0; i < model->item_count; i++) {
        const struct model_item *item = &model->items[i];
        bool item_below = item->kind == NAME_BELOW || item->kind == NAME_PASS_BELOW;
        if (item->source == source && item_below == below && dname_equal(&item->name, name)) {
            return true;
        }
    }
    return false;
}

static inline size_t random_rpz_name(struct model_order *model, char *out, size_t size)
{
    const int source = (int)model->order->list_count;
    char text[32];
    random_name(text, sizeof text, 1);
    struct dname name = name_of(text);
    bool below = random_below(2) == 0;
    const struct random_rule *rule =
        below ? &random_rules_below[random_below(3)] : &random_rules_exact[random_below(3)];
    if (random_has_owner(model, source, below, &name)) {
        return 0;
    }
    struct model_item *item = random_item(model, source);
    item->name = name;
    item->kind =
        rule->passes ? (below ? NAME_PASS_BELOW : NAME_PASS) : (below ? NAME_BELOW : NAME_EXACT);
    item->action = rule->passes ? NULL : &rule->action;
    return (size_t)snprintf(out, size, "%s%s %s\n", below ? "*." : "", text, rule->data);
}

/* An address trigger, whose networks go where the model has them. */
static inline size_t random_rpz_network(const struct model_order *model, const char *trigger,
                                        struct model_network *networks, size_t *count, char *out,
                                        size_t size)
{
    static const char *const places[][2] = {{"192.0.2.0/25", "25.0.2.0.192"},
                                            {"192.0.2.128/25", "25.128.2.0.192"},
                                            {"2001:db8::/48", "48.zz.db8.2001"},
                                            {"192.0.2.1/32", "32.1.2.0.192"}};
    const char *const *place = places[random_below(4)];
    const struct random_rule *rule = &random_rules_exact[random_below(3)];
    const int source = (int)model->order->list_count;
    struct network network;
    char why[WHY_MAX];
    DEMAND(network_parse(place[0], strlen(place[0]), &network, why, sizeof why), "%s", why);
    for (size_t i = 0; i < *count; i++) {
        if (networks[i].source == source && networks[i].network.length == network.length &&
            address_equal(&networks[i].network.base, &network.base)) {
            return 0;
        }
    }
    networks[(*count)++] =
        (struct model_network){network, source, rule->passes, rule->passes ? NULL : &rule->action};
    return (size_t)snprintf(out, size, "%s.%s %s\n", place[1], trigger, rule->data);
}

/* format: rpz. */
static inline void random_rpz_list(struct model_order *model)
{
    char bytes[1024] = ZONE;
    size_t used = strlen(bytes);
    for (unsigned left = 1 + random_below(5); left > 0; left--) {
        used += random_rpz_name(model, bytes + used, sizeof bytes - used);
    }
    while (model->client_count < 4 && random_below(4) == 0) {
        used += random_rpz_network(model, "rpz-client-ip", model->clients, &model->client_count,
                                   bytes + used, sizeof bytes - used);
    }
    while (model->answer_count < 4 && random_below(3) == 0) {
        used += random_rpz_network(model, "rpz-ip", model->answers, &model->answer_count,
                                   bytes + used, sizeof bytes - used);
    }
    random_take_list(model->order, list_of_zone(bytes));
}

/* ---- Orders ---- */

static inline void random_order(struct model_order *model, unsigned number,
                                const struct instant_zone *rome)
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
    order->aliases = random_below(2) == 0;
    random_scope(&order->scope);
    random_networks(model);
    random_windows(model, rome);
    const bool plain = random_below(3) == 0;
    random_names(model, plain);
    order->lists = calloc(3, sizeof *order->lists);
    for (unsigned i = random_below(4); i > 1; i--) {
        if (plain || random_below(2) == 0) {
            random_names_list(model, plain);
        } else {
            random_rpz_list(model);
        }
    }
}
