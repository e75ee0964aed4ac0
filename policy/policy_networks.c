/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Addresses against the networks of one order (see policy/policy_networks.h). Every source is asked
 * for its longest network, and of these the longest is kept. Owns nothing.
 */
#include "policy/policy_networks.h"

#include "policy/network_rules.h"
#include "policy/order.h"

/* Takes what a source says of the address if it is more than what was found. list is NULL for the
 * order's own networks. */
static bool take(const struct network_rules *rules, const struct name_list *list,
                 const struct address *address, bool found, struct policy_hold *out)
{
    const struct network_rule *entry = network_rules_find(rules, address);
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

bool policy_networks_excepted(const struct order *order, const struct address *client)
{
    struct address ipv4;
    return network_set_contains(order->except_networks, client) ||
           (address_in_6to4(client, &ipv4) && network_set_contains(order->except_networks, &ipv4));
}

bool policy_networks_client(const struct order *order, const struct address *client,
                            struct policy_hold *out)
{
    bool found = false;
    for (size_t i = 0; i < order->list_count; i++) {
        const struct name_list *list = order->lists[i].names;
        const struct network_rules *rules = name_list_clients(list);
        struct address ipv4;
        if (rules == NULL) {
            continue;
        }
        found = take(rules, list, client, found, out);
        if (address_in_6to4(client, &ipv4)) {
            found = take(rules, list, &ipv4, found, out);
        }
    }
    return found;
}

bool policy_networks_answer(const struct order *order, const struct address *answer,
                            struct policy_hold *out)
{
    bool found = take(order->answers, NULL, answer, false, out);
    for (size_t i = 0; i < order->list_count; i++) {
        const struct name_list *list = order->lists[i].names;
        found = take(name_list_answers(list), list, answer, found, out);
    }
    return found;
}
