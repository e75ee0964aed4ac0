/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Coverage (see order_cover.h). Names of the file that have dates of their own do not cover: they
 * may not bind for as long as what is asked for. Other orders are asked as a client of each country
 * in scope would, by the decision of the daemon, and must block to the end of this one.
 */
#include "forwarder/cli/order_cover.h"

#include <stdlib.h>
#include <string.h>

#include "forwarder/wire/dns.h"
#include "policy/policy.h"
#include "policy/suffix_map.h"

struct order_cover {
    struct order_cover_options asked;
    struct suffix_map *names;      /* kinds */
    struct policy_client *clients; /* one of each country and subdivision in scope */
    size_t client_count;
};

static struct suffix_map *map_names(const struct order *order)
{
    struct suffix_map_builder *builder = suffix_map_builder_new(ORDER_COVER_SEED);
    for (size_t i = 0; builder != NULL && i < order->name_count; i++) {
        const struct order_name *name = &order->names[i];
        if ((name->term == 0 || name->kind == NAME_EXCEPT) &&
            !suffix_map_builder_add(builder, &name->name, (uint32_t)name->kind)) {
            suffix_map_builder_free(builder);
            return NULL;
        }
    }
    return builder == NULL ? NULL : suffix_map_seal(builder);
}

static bool find_clients(struct order_cover *cover)
{
    const struct order_scope *scope = &cover->asked.order->scope;
    cover->clients = calloc(COUNTRY_INDEXES + scope->subdivision_count, sizeof *cover->clients);
    if (cover->clients == NULL) {
        return false;
    }
    for (unsigned index = 0; index < COUNTRY_INDEX_UNKNOWN; index++) {
        struct country country = country_of_index(index);
        if (country_known(country) && order_scope_has(scope, country, cover->asked.now)) {
            cover->clients[cover->client_count++].country = country;
        }
    }
    for (size_t i = 0; i < scope->subdivision_count; i++) {
        struct policy_client *client = &cover->clients[cover->client_count++];
        client->country = scope->subdivisions[i].country;
        subdivisions_add(&client->within, &scope->subdivisions[i]);
    }
    return true;
}

struct order_cover *order_cover_new(const struct order_cover_options *options)
{
    struct order_cover *cover = calloc(1, sizeof *cover);
    if (cover == NULL) {
        return NULL;
    }
    cover->asked = *options;
    cover->names = map_names(options->order);
    if (cover->names == NULL || !find_clients(cover)) {
        order_cover_free(cover);
        return NULL;
    }
    return cover;
}

void order_cover_free(struct order_cover *cover)
{
    if (cover != NULL) {
        suffix_map_free(cover->names);
        free(cover->clients);
        free(cover);
    }
}

/* Judges an item by names of the order, those of its file or of a list. */
static enum order_cover_verdict judge_names(const struct suffix_map *names,
                                            const struct order_edit_item *item)
{
    struct suffix_keys keys;
    bool blocked = false;
    suffix_keys_init(&keys, &item->name, ORDER_COVER_SEED);
    for (unsigned labels = 0; labels <= item->name.labels; labels++) {
        const uint32_t *found = NULL;
        size_t count = suffix_map_find(names, &keys, labels, &found);
        for (size_t i = 0; i < count; i++) {
            if (found[i] == NAME_EXCEPT) {
                return ORDER_COVER_EXCEPT;
            }
            blocked =
                blocked || found[i] == NAME_SUBTREE ||
                (found[i] == NAME_EXACT && item->kind == NAME_EXACT && labels == item->name.labels);
        }
    }
    return blocked ? ORDER_COVER_OWN : ORDER_COVER_FREE;
}

static enum order_cover_verdict judge_own(const struct order_cover *cover,
                                          const struct order_edit_item *item)
{
    enum order_cover_verdict file = judge_names(cover->names, item);
    if (file == ORDER_COVER_EXCEPT || cover->asked.list == NULL) {
        return file;
    }
    enum order_cover_verdict list = judge_names(name_list_map(cover->asked.list), item);
    return list == ORDER_COVER_FREE ? file : list;
}

/* Who blocks it for a client somewhere; NULL: nobody blocks all of it. */
static const struct order *blocker(const struct order_cover *cover,
                                   const struct policy_client *client,
                                   const struct order_edit_item *item)
{
    const struct policy_question question = {
        .qname = &item->name, .qtype = DNS_TYPE_A, .now = cover->asked.now};
    struct policy_match match;
    if (policy_decide(cover->asked.policy, client, &question, &match, NULL, NULL) == POLICY_PASS ||
        match.trigger != POLICY_NAME) {
        return NULL;
    }
    const struct order *order = policy_order(cover->asked.policy, match.order);
    bool all = item->kind == NAME_EXACT || (!match.exact && !match.free_below);
    /* A name of the file that ends before its order would cover it today, and not to the end. */
    all = all && match.end >= cover->asked.order->end;
    all = all && !(cover->asked.last_good && strcmp(order->id, cover->asked.order->id) == 0);
    return all && order->except_networks == NULL && order->window_count == 0 ? order : NULL;
}

enum order_cover_verdict order_cover_judge(const struct order_cover *cover,
                                           const struct order_edit_item *item, const char **by)
{
    enum order_cover_verdict own = judge_own(cover, item);
    const struct order *other = NULL;
    *by = cover->asked.order->id;
    if (own != ORDER_COVER_FREE || cover->asked.policy == NULL) {
        return own;
    }
    for (size_t i = 0; i < cover->client_count; i++) {
        other = blocker(cover, &cover->clients[i], item);
        if (other == NULL) {
            return ORDER_COVER_FREE;
        }
    }
    if (other == NULL) {
        return ORDER_COVER_FREE;
    }
    *by = other->id;
    return strcmp(other->id, cover->asked.order->id) == 0 ? ORDER_COVER_OWN : ORDER_COVER_OTHER;
}
