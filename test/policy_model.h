/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The naive policy: orders one after the other, what they say one after the other, no map, no
 * index, no precomputed scope. Slow and plain, so that the clever one can be held against it. It
 * knows what a list says because the test that wrote the list tells it. Whether names stay free
 * below another one is not computed but tried: some names below it are judged.
 */
#pragma once

#include "policy/policy.h"

#include <libpsl.h>
#include <string.h>

#define MODEL_ITEMS_MAX 32
#define MODEL_NETWORKS_MAX 8
#define MODEL_WINDOWS_MAX 3
#define MODEL_ORDERS_MAX 12

/* Dates are compared no further ahead than this. */
#define MODEL_HORIZON_S 20

/* Where something stands: in the order file, or in the list of this number and those behind. */
#define MODEL_IN_FILE (-1)

/* What an order says of a name. */
struct model_item {
    enum name_kind kind;
    struct dname name;
    int source;
    int64_t effective;
    int64_t end;
    const char *ticket;
    const enum order_action *action; /* of its rule; NULL: the order's own */
    bool any_tld;                    /* not an item, but what a label of any-tld means here */
};

/* What an order says of the addresses of a network. */
struct model_network {
    struct network network;
    int source;
    bool passes;
    const enum order_action *action;
};

struct model_order {
    struct order *order; /* id, dates, status, action, scope, windows, aliases, any-tld */
    int64_t utc_offset;  /* of its windows */
    struct model_item items[MODEL_ITEMS_MAX];
    size_t item_count;
    struct network excepted[MODEL_NETWORKS_MAX];
    size_t excepted_count;
    struct model_network clients[MODEL_NETWORKS_MAX];
    size_t client_count;
    struct model_network answers[MODEL_NETWORKS_MAX];
    size_t answer_count;
};

struct model_verdict {
    bool told;   /* the order has something to say of what is judged */
    bool lapsed; /* but only by items out of their dates */
    struct policy_match match;
    const enum order_action *action; /* of the rule */
};

/* ---- Names ---- */

static inline bool model_strictly_within(const struct dname *name, const struct dname *above)
{
    return dname_within(name, above) && !dname_equal(name, above);
}

/* Does something of a kind that is for a name alone, or one for all below it, hold the name? */
static inline bool model_holds(const struct model_item *item, const struct dname *name)
{
    switch (item->kind) {
    case NAME_SUBTREE:
    case NAME_EXCEPT:
        return dname_within(name, &item->name);
    case NAME_EXACT:
    case NAME_PASS:
        return dname_equal(name, &item->name);
    case NAME_BELOW:
    case NAME_PASS_BELOW:
        return model_strictly_within(name, &item->name);
    case NAME_FREE_BELOW:
        break;
    }
    return false;
}

static inline bool model_blocks(const struct model_item *item)
{
    return item->kind == NAME_SUBTREE || item->kind == NAME_EXACT || item->kind == NAME_BELOW;
}

static inline bool model_is_suffix(const struct dname *name)
{
    char text[DNAME_TEXT_MAX];
    return name->labels == 0 || psl_is_public_suffix(psl_builtin(), dname_format(name, text));
}

/* What a label of any-tld means for a name: one more name with all below it. */
static inline bool model_any_tld(const struct dname *label, const struct dname *name,
                                 unsigned labels, struct model_item *out)
{
    struct dname behind;
    *out = (struct model_item){.kind = NAME_SUBTREE,
                               .source = MODEL_IN_FILE,
                               .effective = ORDER_ALWAYS,
                               .end = ORDER_FOR_GOOD,
                               .any_tld = true};
    dname_suffix(name, labels, &out->name);
    dname_suffix(name, labels - 1, &behind);
    return memcmp(out->name.wire, label->wire, 1U + label->wire[0]) == 0 &&
           model_is_suffix(&behind) && !model_is_suffix(&out->name);
}

/* All that an order says, with what its labels of any-tld mean for this name. */
struct model_said {
    struct model_item items[MODEL_ITEMS_MAX + 8];
    size_t count;
};

static inline void model_say(const struct model_order *model, const struct dname *name,
                             struct model_said *out)
{
    const struct order *order = model->order;
    out->count = model->item_count;
    memcpy(out->items, model->items, model->item_count * sizeof *model->items);
    for (size_t i = 0; i < order->any_tld_count; i++) {
        for (unsigned labels = 1; labels <= name->labels; labels++) {
            if (model_any_tld(&order->any_tld[i], name, labels, &out->items[out->count])) {
                out->count++;
            }
        }
    }
}

static inline bool model_in_term(const struct model_item *item, int64_t now)
{
    return item->effective <= now && now < item->end;
}

/* Which of two items of one length is told. Both are in their dates. */
static inline bool model_goes_before(const struct model_item *a, const struct model_item *b)
{
    int rank_a = a->any_tld ? 1 : a->kind == NAME_SUBTREE ? 0 : 2;
    int rank_b = b->any_tld ? 1 : b->kind == NAME_SUBTREE ? 0 : 2;
    if (a->name.labels != b->name.labels) {
        return a->name.labels > b->name.labels;
    }
    if (rank_a != rank_b) {
        return rank_a < rank_b;
    }
    if (a->source != b->source) {
        return a->source < b->source;
    }
    return a->end != b->end ? a->end > b->end : a->ticket == NULL && b->ticket != NULL;
}

/* The same for two that are out of their dates. */
static inline bool model_is_nearer(const struct model_item *a, const struct model_item *b,
                                   int64_t now)
{
    bool a_comes = now < a->effective;
    bool b_comes = now < b->effective;
    if (a->name.labels != b->name.labels) {
        return a->name.labels > b->name.labels;
    }
    if ((a->kind == NAME_SUBTREE) != (b->kind == NAME_SUBTREE)) {
        return a->kind == NAME_SUBTREE;
    }
    if (a_comes != b_comes) {
        return a_comes;
    }
    if (a_comes && a->effective != b->effective) {
        return a->effective < b->effective;
    }
    if (a->end != b->end) {
        return a->end > b->end;
    }
    return a->ticket == NULL && b->ticket != NULL;
}

/* The item that blocks a name, or would if the date were another one. */
static inline const struct model_item *
model_longest(const struct model_said *said, const struct dname *name, int64_t now, bool lapsed)
{
    const struct model_item *best = NULL;
    for (size_t i = 0; i < said->count; i++) {
        const struct model_item *item = &said->items[i];
        if (!model_blocks(item) || !model_holds(item, name) || model_in_term(item, now) == lapsed) {
            continue;
        }
        if (best == NULL ||
            (lapsed ? model_is_nearer(item, best, now) : model_goes_before(item, best))) {
            best = item;
        }
    }
    return best;
}

/* Does the order leave this name alone? */
static inline bool model_frees(const struct model_said *said, const struct dname *name, int64_t now)
{
    const struct model_item *match = model_longest(said, name, now, false);
    for (size_t i = 0; i < said->count; i++) {
        const struct model_item *item = &said->items[i];
        if (model_blocks(item) || !model_in_term(item, now) || !model_holds(item, name)) {
            continue;
        }
        if (item->kind == NAME_EXCEPT || match == NULL || item->name.labels >= match->name.labels) {
            return true;
        }
    }
    return false;
}

/* Is this name free of the order? everything: the order blocks every name that it does not free. */
static inline bool model_is_free(const struct model_order *model, const struct dname *name,
                                 int64_t now, bool everything)
{
    struct model_said said;
    model_say(model, name, &said);
    return model_frees(&said, name, now) ||
           (!everything && model_longest(&said, name, now, false) == NULL);
}

/* A name below, that nobody else has. */
static inline void model_below(const struct dname *name, struct dname *out)
{
    *out =
        (struct dname){.size = (uint8_t)(name->size + 3U), .labels = (uint8_t)(name->labels + 1)};
    memcpy(out->wire, "\2zz", 3);
    memcpy(out->wire + 3, name->wire, name->size);
}

/* Is some name below this one free of the order? */
static inline bool model_free_below(const struct model_order *model, const struct dname *name,
                                    int64_t now, bool everything)
{
    struct dname below;
    model_below(name, &below);
    if (model_is_free(model, &below, now, everything)) {
        return true;
    }
    for (size_t i = 0; i < model->item_count; i++) {
        const struct dname *other = &model->items[i].name;
        if (!model_strictly_within(other, name)) {
            continue;
        }
        model_below(other, &below);
        if (model_is_free(model, other, now, everything) ||
            model_is_free(model, &below, now, everything)) {
            return true;
        }
    }
    return false;
}

/* ---- Clients ---- */

/* Letter by letter: does the client lie in one of the subdivisions? */
static inline bool model_lies_within(const struct order_scope *scope,
                                     const struct policy_client *client)
{
    for (size_t i = 0; i < scope->subdivision_count; i++) {
        const struct subdivision *part = &scope->subdivisions[i];
        bool same_country = strncmp(part->country.letter, client->country.letter, 2) == 0;
        bool larger = strncmp(part->code, client->within.level[0], SUBDIVISION_CODE) == 0;
        bool smaller = strncmp(part->code, client->within.level[1], SUBDIVISION_CODE) == 0;
        if (same_country && (larger || smaller)) {
            return true;
        }
    }
    return false;
}

static inline bool model_scope_has(const struct order_scope *scope,
                                   const struct policy_client *client, int64_t now)
{
    struct country country = client->country;
    if (!country_known(country)) {
        return scope->unknown;
    }
    return country_set_has(&scope->countries, country) || model_lies_within(scope, client) ||
           (scope->groups[COUNTRY_GROUP_EU] && country_group_has(COUNTRY_GROUP_EU, country, now)) ||
           (scope->groups[COUNTRY_GROUP_EEA] && country_group_has(COUNTRY_GROUP_EEA, country, now));
}

/* Of all networks that hold the address the one that counts, or NULL. */
static inline const struct model_network *model_network(const struct model_network *networks,
                                                        size_t count, const struct address *address)
{
    const struct model_network *best = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct model_network *network = &networks[i];
        if (!network_contains(&network->network, address)) {
            continue;
        }
        if (best == NULL || network->network.length > best->network.length ||
            (network->network.length == best->network.length &&
             (network->passes > best->passes ||
              (network->passes == best->passes && network->source < best->source)))) {
            best = network;
        }
    }
    return best;
}

static inline const struct model_network *model_client(const struct model_order *model,
                                                       const struct policy_client *client)
{
    return model_network(model->clients, model->client_count, &client->address);
}

static inline bool model_client_excepted(const struct model_order *model,
                                         const struct policy_client *client)
{
    const struct model_network *network = model_client(model, client);
    for (size_t i = 0; i < model->excepted_count; i++) {
        if (network_contains(&model->excepted[i], &client->address)) {
            return true;
        }
    }
    return network != NULL && network->passes;
}

/* Second by second of a day and its weekday, where the clocks do not change. */
static inline bool model_open(const struct model_order *model, int64_t now)
{
    const struct order *order = model->order;
    int64_t shown = now + model->utc_offset;
    int64_t second = shown % 86400;
    unsigned today = (unsigned)((shown / 86400 + 3) % 7);
    unsigned yesterday = (today + 6) % 7;
    for (size_t i = 0; i < order->window_count; i++) {
        const struct order_window *window = &order->windows[i];
        bool two_days = window->to_s <= window->from_s;
        bool since = (window->days & 1U << today) != 0 && second >= window->from_s;
        bool until =
            (window->days & 1U << (two_days ? yesterday : today)) != 0 && second < window->to_s;
        if (two_days ? since || until : since && until) {
            return true;
        }
    }
    return order->window_count == 0;
}

static inline enum policy_binding model_bind_client(const struct model_order *model,
                                                    const struct policy_client *client, int64_t now)
{
    const struct order *order = model->order;
    if (order->status != ORDER_ACTIVE) {
        return order->status == ORDER_LIFTED ? POLICY_LIFTED : POLICY_SUSPENDED;
    }
    if (now < order->effective || now >= order->end) {
        return now < order->effective ? POLICY_NOT_YET : POLICY_ENDED;
    }
    if (!model_scope_has(&order->scope, client, now)) {
        return POLICY_OTHER_COUNTRY;
    }
    if (model_client_excepted(model, client)) {
        return POLICY_EXCEPTED_NETWORK;
    }
    return model_open(model, now) ? POLICY_BINDS : POLICY_OUTSIDE_WINDOW;
}

/* ---- One order ---- */

/* The first instant at which the match does not bind, as far ahead as dates are compared. */
static inline int64_t model_end(const struct model_order *model, int64_t now, int64_t item_end)
{
    int64_t end = model->order->end < item_end ? model->order->end : item_end;
    bool open = model_open(model, now);
    if (end <= now) {
        return end;
    }
    for (int64_t at = now + 1; at < now + MODEL_HORIZON_S; at++) {
        if (at == end || (open && !model_open(model, at))) {
            return at;
        }
    }
    return now + MODEL_HORIZON_S;
}

/* What is left free of what is judged, and of the qname it was asked for. */
struct model_freedom {
    bool freed;
    bool below;
};

static inline struct model_freedom model_freedom(const struct model_order *model,
                                                 const struct policy_question *question,
                                                 int64_t now, bool by_client)
{
    struct model_freedom out = {.below = true};
    const bool is_link = question->alias != NULL || question->answer != NULL;
    if (question->answer == NULL) {
        const struct dname *name = question->alias != NULL ? question->alias : question->qname;
        struct model_said said;
        model_say(model, name, &said);
        out.freed = model_frees(&said, name, now);
        out.below = model_free_below(model, name, now, by_client);
    }
    if (is_link) {
        out.freed |= model_is_free(model, question->qname, now, true);
    }
    return out;
}

/* Does any item of the order begin or end at this instant? */
static inline bool model_changes(const struct model_order *model, int64_t at)
{
    for (size_t i = 0; i < model->item_count; i++) {
        if (model->items[i].effective == at || model->items[i].end == at) {
            return true;
        }
    }
    return false;
}

/* A match that binds ends where more is left free than now. */
static inline void model_end_unfreed(const struct model_order *model,
                                     const struct policy_question *question, bool by_client,
                                     struct model_verdict *out)
{
    bool binds = out->match.binding == POLICY_BINDS || out->match.binding == POLICY_SHADOWS;
    struct model_freedom now = model_freedom(model, question, question->now, by_client);
    for (int64_t at = question->now + 1; binds && at < out->match.end; at++) {
        struct model_freedom then = now;
        if (model_changes(model, at)) {
            then = model_freedom(model, question, at, by_client);
        }
        if (then.freed || (then.below && !now.below)) {
            out->match.end = at;
        }
    }
}

static inline void model_take_item(struct model_verdict *out, const struct model_item *item,
                                   const struct dname *name)
{
    out->told = true;
    out->action = item->action;
    out->match.trigger = item->any_tld ? POLICY_ANY_TLD : POLICY_NAME;
    out->match.labels = item->name.labels;
    out->match.exact = item->kind == NAME_EXACT && dname_equal(&item->name, name);
    out->match.below = item->kind == NAME_BELOW;
    out->match.ticket = item->ticket;
}

static inline void model_take_network(struct model_verdict *out, enum policy_trigger trigger,
                                      const struct model_network *network)
{
    out->told = true;
    out->action = network->action;
    out->match.trigger = trigger;
    out->match.network = network->network;
}

/* What an order that is in force for the client does, once it is known what it says. */
static inline enum policy_binding model_bind(const struct model_order *model,
                                             const struct policy_question *question, bool freed,
                                             bool free_below)
{
    bool is_delegation = question->qtype == 43 || question->qtype == 48;
    if (freed) {
        return POLICY_EXCEPTED_NAME;
    }
    if (free_below && is_delegation) {
        return POLICY_LEFT_FREE;
    }
    return model->order->action == ORDER_SHADOW ? POLICY_SHADOWS : POLICY_BINDS;
}

static inline void model_judge_answer(const struct model_order *model,
                                      const struct policy_question *question,
                                      struct model_verdict *out)
{
    const struct model_network *network =
        model_network(model->answers, model->answer_count, question->answer);
    if (network == NULL || network->passes) {
        return;
    }
    struct model_said said;
    model_say(model, question->qname, &said);
    model_take_network(out, POLICY_ANSWER, network);
    out->match.free_below = true;
    out->match.end = model_end(model, question->now, ORDER_FOR_GOOD);
    if (out->match.binding == POLICY_BINDS) {
        out->match.binding =
            model_bind(model, question, model_frees(&said, question->qname, question->now), false);
    }
    model_end_unfreed(model, question, false, out);
}

/* No item in its dates says anything of the name: does one that is out of them? */
static inline void model_judge_lapsed(const struct model_order *model,
                                      const struct policy_question *question,
                                      const struct model_said *said, const struct dname *name,
                                      struct model_verdict *out)
{
    const struct model_item *item = model_longest(said, name, question->now, true);
    if (item == NULL) {
        return;
    }
    model_take_item(out, item, name);
    out->lapsed = true;
    out->match.end = model_end(model, question->now, item->end);
    if (out->match.binding == POLICY_BINDS) {
        out->match.binding =
            question->now < item->effective ? POLICY_ITEM_NOT_YET : POLICY_ITEM_ENDED;
    }
}

static inline void model_judge_name(const struct model_order *model,
                                    const struct policy_client *client,
                                    const struct policy_question *question,
                                    struct model_verdict *out)
{
    const bool is_alias = question->alias != NULL;
    const struct dname *name = is_alias ? question->alias : question->qname;
    const int64_t now = question->now;
    const struct model_network *network = is_alias ? NULL : model_client(model, client);
    bool by_client = network != NULL && !network->passes;
    struct model_said said;
    model_say(model, name, &said);
    const struct model_item *item = model_longest(&said, name, now, false);
    if (by_client) {
        model_take_network(out, POLICY_CLIENT, network);
    } else if (item == NULL) {
        model_judge_lapsed(model, question, &said, name, out);
        return;
    } else {
        model_take_item(out, item, name);
    }
    bool free_below = model_free_below(model, name, now, by_client);
    bool freed = model_frees(&said, name, now) ||
                 (is_alias && model_is_free(model, question->qname, now, true));
    out->match.free_below = free_below || is_alias;
    out->match.end = model_end(model, now, by_client ? ORDER_FOR_GOOD : item->end);
    if (out->match.binding == POLICY_BINDS) {
        out->match.binding = model_bind(model, question, freed, free_below);
    }
    model_end_unfreed(model, question, by_client, out);
}

static inline void model_judge(const struct model_order *model, const struct policy_client *client,
                               const struct policy_question *question, struct model_verdict *out)
{
    memset(out, 0, sizeof *out);
    out->match.binding = model_bind_client(model, client, question->now);
    if (question->answer != NULL) {
        model_judge_answer(model, question, out);
    } else if (question->alias == NULL || model->order->aliases) {
        model_judge_name(model, client, question, out);
    }
}

/* ---- All orders ---- */

/* Does the first match decide before the second? */
static inline bool model_precedes(const struct model_verdict *a, const struct order *order_a,
                                  const struct model_verdict *b, const struct order *order_b)
{
    if (a->match.labels != b->match.labels) {
        return a->match.labels > b->match.labels;
    }
    if (a->match.trigger == POLICY_ANSWER && a->match.network.length != b->match.network.length) {
        return a->match.network.length > b->match.network.length;
    }
    return order_a->effective < order_b->effective ||
           (order_a->effective == order_b->effective && strcmp(order_a->id, order_b->id) < 0);
}

/* The index of the order that decides, or count. verdicts has room for count. */
static inline size_t model_decide(const struct model_order *models, size_t count,
                                  const struct policy_client *client,
                                  const struct policy_question *question,
                                  struct model_verdict *verdicts)
{
    size_t best = count;
    for (size_t i = 0; i < count; i++) {
        model_judge(&models[i], client, question, &verdicts[i]);
        if (!verdicts[i].told || verdicts[i].match.binding != POLICY_BINDS) {
            continue;
        }
        if (best == count ||
            model_precedes(&verdicts[i], models[i].order, &verdicts[best], models[best].order)) {
            best = i;
        }
    }
    return best;
}
