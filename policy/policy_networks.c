/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Addresses against the networks of one order (see policy/policy_networks.h). Every source is asked
 * for its longest network, and of these the longest is kept. Owns nothing.
 */
#include "policy/policy_networks.h"

#include "policy/network_rules.h"
#include "policy/order.h"
#include "policy/policy.h"

/* Takes an entry of a source if it is more than what was found; NULL is none. list is NULL for the
 * order's own networks. */
static bool take(const struct network_rule *entry, const struct name_list *list, bool found,
                 struct policy_hold *out)
{
    if (entry == NULL) {
        return found;
    }
    bool passes = list != NULL && entry->rule == NAME_LIST_PASS;
    if (found && (entry->network.length < out->network.length ||
                  (entry->network.length == out->network.length && (out->passes || !passes)))) {
        return true;
    }
    *out = (struct policy_hold){
        .network = entry->network,
        .passes = passes,
        .rule = list == NULL || passes ? NULL : name_list_rule(list, entry->rule),
    };
    return true;
}

/* ---- A client that is somewhere in a network ---- */

/* Its network, and for one of 6to4 that of the IPv4 addresses in it. Returns how many. */
static size_t networks_of(const struct policy_client *client, struct network out[static 2])
{
    out[0] = network_around(&client->address, 128U - client->spread);
    if (!address_in_6to4(&client->address, &out[1].base) || out[0].length < 16) {
        return 1;
    }
    unsigned known = out[0].length - 16U; /* of the 32 bits behind 2002: */
    out[1] = network_around(&out[1].base, known < 32 ? 96U + known : 128U);
    return 2;
}

static bool covers(const struct network *wider, const struct network *narrower)
{
    return wider->length <= narrower->length &&
           address_common_bits(&wider->base, &narrower->base) >= wider->length;
}

/* Does it hold every IPv4 address, as it stands or as one of 6to4? Sets of networks keep IPv4 apart
 * from short ones, but a client of whom nobody knows more may well have such an address. */
static bool holds_all_ipv4(const struct network *network)
{
    static const struct network in_6to4 = {{{0x20, 0x02}}, 16};
    return covers(network, &NETWORK_IPV4) || covers(network, &in_6to4);
}

static bool may_be_excepted(const struct order *order, const struct policy_client *client)
{
    struct network networks[2];
    size_t count = networks_of(client, networks);
    return network_set_overlaps(order->except_networks, &networks[0]) ||
           (count > 1 && network_set_overlaps(order->except_networks, &networks[1])) ||
           (holds_all_ipv4(&networks[0]) &&
            network_set_overlaps(order->except_networks, &NETWORK_IPV4));
}

static bool hold_network(const struct name_list *list, const struct network *network, bool found,
                         struct policy_hold *out)
{
    const struct network_rules *rules = name_list_clients(list);
    return take(network_rules_find_network(rules, network), list, found, out);
}

static bool client_network(const struct order *order, const struct policy_client *client,
                           struct policy_hold *out)
{
    struct network networks[2];
    size_t count = networks_of(client, networks);
    bool found = false;
    for (size_t i = 0; i < order->list_count * count; i++) {
        const struct name_list *list = order->lists[i / count].names;
        const struct network *network = &networks[i % count];
        if (network_rules_inside(name_list_clients(list), network, NAME_LIST_PASS)) {
            *out = (struct policy_hold){.network = *network, .passes = true};
            return true;
        }
        found = hold_network(list, network, found, out);
    }
    return found;
}

/* ---- A client with an address ---- */

bool policy_networks_excepted(const struct order *order, const struct policy_client *client)
{
    struct address ipv4;
    if (client->spread > 0) {
        return may_be_excepted(order, client);
    }
    return network_set_contains(order->except_networks, &client->address) ||
           (address_in_6to4(&client->address, &ipv4) &&
            network_set_contains(order->except_networks, &ipv4));
}

bool policy_networks_client(const struct order *order, const struct policy_client *client,
                            struct policy_hold *out)
{
    bool found = false;
    if (client->spread > 0) {
        return client_network(order, client, out);
    }
    for (size_t i = 0; i < order->list_count; i++) {
        const struct name_list *list = order->lists[i].names;
        const struct network_rules *rules = name_list_clients(list);
        struct address ipv4;
        if (rules == NULL) {
            continue;
        }
        found = take(network_rules_find(rules, &client->address), list, found, out);
        if (address_in_6to4(&client->address, &ipv4)) {
            found = take(network_rules_find(rules, &ipv4), list, found, out);
        }
    }
    return found;
}

bool policy_networks_answer(const struct order *order, const struct address *answer,
                            struct policy_hold *out)
{
    bool found = take(network_rules_find(order->answers, answer), NULL, false, out);
    for (size_t i = 0; i < order->list_count; i++) {
        const struct name_list *list = order->lists[i].names;
        found = take(network_rules_find(name_list_answers(list), answer), list, found, out);
    }
    return found;
}
