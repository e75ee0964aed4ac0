/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A block by address spills further than one by name: whatever is hosted there goes with it. So
 * networks go through the guard as names do, and addresses that say nothing of whose they are get a
 * warning.
 */
#include "policy/order_answers.h"

#include <stdlib.h>
#include <string.h>

#include "policy/guard.h"
#include "policy/network_rules.h"

/* Networks of the IANA registries of special-purpose addresses that name servers do put into
 * answers, for names of anybody: as a joke, as a block of their own, or within a private network.
 */
static const struct special {
    const char *network;
    const char *name;
} specials[] = {
    {"0.0.0.0/8", "addresses of no host (RFC 1122)"},
    {"10.0.0.0/8", "private addresses (RFC 1918)"},
    {"100.64.0.0/10", "shared addresses of access networks (RFC 6598)"},
    {"127.0.0.0/8", "loopback addresses (RFC 1122)"},
    {"169.254.0.0/16", "link-local addresses (RFC 3927)"},
    {"172.16.0.0/12", "private addresses (RFC 1918)"},
    {"192.168.0.0/16", "private addresses (RFC 1918)"},
    {"224.0.0.0/4", "multicast addresses (RFC 5771)"},
    {"240.0.0.0/4", "addresses of no host (RFC 1112)"},
    {"::/128", "the unspecified address (RFC 4291)"},
    {"::1/128", "the loopback address (RFC 4291)"},
    {"fc00::/7", "private addresses (RFC 4193)"},
    {"fe80::/10", "link-local addresses (RFC 4291)"},
    {"ff00::/8", "multicast addresses (RFC 4291)"},
};

static void warn_if_special(struct order_reader *reader, struct yaml_node item,
                            const struct network *network)
{
    char ignored[WHY_MAX];
    char shown[NETWORK_TEXT_MAX];
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++) {
        struct network special;
        const char *text = specials[i].network;
        if (network_parse(text, strlen(text), &special, ignored, sizeof ignored) &&
            (network_contains(&special, &network->base) ||
             network_contains(network, &special.base))) {
            yaml_node_problem(item, PROBLEM_WARNING, reader->problems,
                              "%s has %s, which names of anybody may have",
                              network_format(network, shown), specials[i].name);
            return;
        }
    }
}

/* May the order block these addresses? If not, that is a problem. */
static bool guard_allows(struct order_reader *reader, struct yaml_node item,
                         const struct network *network)
{
    char why[WHY_MAX];
    bool permitted = guard_permits_network(reader->env->guard, &reader->wide, network, why);
    if (!permitted) {
        yaml_node_problem(item, PROBLEM_ERROR, reader->problems, "%s", why);
    }
    return permitted;
}

/* An order_item_fn. An order answers by its own action alone: rule 0. */
static bool read_rule(struct order_reader *reader, struct yaml_node item, void *out)
{
    struct network_rule *rule = out;
    *rule = (struct network_rule){0};
    if (!order_reader_network(reader, item, &rule->network) ||
        !guard_allows(reader, item, &rule->network)) {
        return false;
    }
    warn_if_special(reader, item, &rule->network);
    return true;
}

static void seal(struct order_reader *reader, struct yaml_node value,
                 const struct network_rule *rules, size_t count)
{
    struct network_rules **answers = &reader->order->answers;
    *answers = network_rules_new(rules, count);
    if (*answers == NULL && count > 0) {
        order_reader_out_of_memory(reader, value);
    } else if (network_rules_count(*answers) < count) {
        yaml_node_problem(value, PROBLEM_WARNING, reader->problems,
                          "%zu of these networks are given twice",
                          count - network_rules_count(*answers));
    }
}

void order_answers_read(struct order_reader *reader, const struct order_key *key,
                        struct yaml_node value)
{
    (void)key;
    size_t count;
    struct network_rule *rules =
        order_reader_items(reader, value, sizeof *rules, read_rule, &count);
    if (rules != NULL) {
        seal(reader, value, rules, count);
        free(rules);
    }
}
