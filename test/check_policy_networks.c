/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Addresses and what stands in answers: clients that an order blocks or lets pass, addresses and
 * aliases in the answer to a question, and what names that are free mean for them.
 */
#include "policy/policy_networks.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/network_rules.h"
#include "test/policy_make.h"
#include "test/suite.h"

/* "pass", or the trigger with what it matched and the action. */
static void describe(const struct policy *policy, enum policy_outcome outcome,
                     const struct policy_match *match, char *out, size_t size)
{
    char network[NETWORK_TEXT_MAX];
    const char *action = order_action_name(
        outcome == POLICY_BLOCK ? policy_match_action(policy, match) : ORDER_REFUSED);
    if (outcome == POLICY_PASS) {
        snprintf(out, size, "pass");
        return;
    }
    network_format(&match->network, network);
    switch (match->trigger) {
    case POLICY_NAME:
    case POLICY_ANY_TLD:
        snprintf(out, size, "name %u %s", match->labels, action);
        break;
    case POLICY_CLIENT:
        snprintf(out, size, "client %s %s", network, action);
        break;
    case POLICY_ANSWER:
        snprintf(out, size, "answer %s %s", network, action);
        break;
    }
}

/* ---- Clients ---- */

static const struct {
    const char *label;
    const char *names;
    const char *zone;
    const char *client;
    const char *qname;
    const char *expected;
} clients[] = {
    {"every name", "", "24.0.2.0.192.rpz-client-ip CNAME .\n", "192.0.2.1", "any.example",
     "client 192.0.2.0/24 nxdomain"},
    {"another client", "", "24.0.2.0.192.rpz-client-ip CNAME .\n", "192.0.3.1", "any.example",
     "pass"},
    {"by 6to4", "", "24.0.2.0.192.rpz-client-ip CNAME *.\n", "2002:c000:201::1", "any.example",
     "client 192.0.2.0/24 nodata"},
    {"before a name", "a.test", "24.0.2.0.192.rpz-client-ip CNAME rpz-drop.\n", "192.0.2.1",
     "a.test", "client 192.0.2.0/24 drop"},
    {"an exception", "!a.test", "24.0.2.0.192.rpz-client-ip CNAME .\n", "192.0.2.1", "x.a.test",
     "pass"},
    {"above an exception", "!a.test", "24.0.2.0.192.rpz-client-ip CNAME .\n", "192.0.2.1", "test",
     "client 192.0.2.0/24 nodata"},
    {"a name that passes", "", "24.0.2.0.192.rpz-client-ip CNAME .\na.test CNAME rpz-passthru.\n",
     "192.0.2.1", "a.test", "pass"},
    {"a client that passes", "a.test", "32.1.2.0.192.rpz-client-ip CNAME rpz-passthru.\n",
     "192.0.2.1", "a.test", "pass"},
    {"its neighbour", "a.test", "32.1.2.0.192.rpz-client-ip CNAME rpz-passthru.\n", "192.0.2.2",
     "a.test", "name 2 refused"},
    {"the longest network", "",
     "24.0.2.0.192.rpz-client-ip CNAME rpz-passthru.\n32.1.2.0.192.rpz-client-ip CNAME .\n",
     "192.0.2.1", "any.example", "client 192.0.2.1/32 nxdomain"},
    {"an address of IPv6", "", "48.zz.db8.2001.rpz-client-ip CNAME .\n", "2001:db8::9",
     "any.example", "client 2001:db8::/48 nxdomain"},

    /* Somewhere in a network. */
    {"all of a network", "", "24.0.2.0.192.rpz-client-ip CNAME .\n", "192.0.2.0/24", "any.example",
     "client 192.0.2.0/24 nxdomain"},
    {"a part of one", "", "24.0.2.0.192.rpz-client-ip CNAME .\n", "192.0.2.64/26", "any.example",
     "client 192.0.2.0/24 nxdomain"},
    {"more than one", "", "24.0.2.0.192.rpz-client-ip CNAME .\n", "192.0.2.0/23", "any.example",
     "pass"},
    {"more than one, by name", "a.test", "24.0.2.0.192.rpz-client-ip CNAME .\n", "192.0.2.0/23",
     "a.test", "name 2 refused"},
    {"one in it passes", "",
     "24.0.2.0.192.rpz-client-ip CNAME .\n32.77.2.0.192.rpz-client-ip CNAME rpz-passthru.\n",
     "192.0.2.0/24", "any.example", "pass"},
    {"one beside it passes", "",
     "24.0.2.0.192.rpz-client-ip CNAME .\n32.77.2.0.192.rpz-client-ip CNAME rpz-passthru.\n",
     "192.0.2.128/25", "any.example", "client 192.0.2.0/24 nxdomain"},
    {"one in it passes, by name", "a.test", "32.77.2.0.192.rpz-client-ip CNAME rpz-passthru.\n",
     "192.0.2.0/24", "a.test", "pass"},
    {"one in it is blocked", "", "32.77.2.0.192.rpz-client-ip CNAME .\n", "192.0.2.0/24",
     "any.example", "pass"},
    {"all of 6to4", "", "24.0.2.0.192.rpz-client-ip CNAME *.\n", "2002:c000:200::/40",
     "any.example", "client 192.0.2.0/24 nodata"},
    {"more than that", "", "24.0.2.0.192.rpz-client-ip CNAME *.\n", "2002:c000:200::/39",
     "any.example", "pass"},
    {"anywhere", "", "24.0.2.0.192.rpz-client-ip CNAME .\n", "::/0", "any.example", "pass"},
};

static struct network client_network(const char *text)
{
    char why[WHY_MAX];
    struct network network;
    ck_assert_msg(network_parse(text, strlen(text), &network, why, sizeof why), "%s", why);
    return network;
}

/* An address, or somewhere in a network. */
static struct policy_client client_of(const char *text)
{
    struct network network = client_network(text);
    return (struct policy_client){.address = network.base,
                                  .country = country_of("IT"),
                                  .spread = (uint8_t)(128U - network.length)};
}

START_TEST(clients_are_blocked_and_let_pass)
{
    char zone[512];
    char decided[128];
    snprintf(zone, sizeof zone, "%s%s", ZONE, clients[_i].zone);
    struct order *order = make_order("X", clients[_i].names, zone);
    struct policy *policy = policy_over(&order, 1, 0);
    const struct dname qname = name_of(clients[_i].qname);
    const struct policy_client client = client_of(clients[_i].client);
    const struct policy_question question = {.qname = &qname, .qtype = TYPE_A, .now = 1000};
    struct policy_match match;
    enum policy_outcome outcome = policy_decide(policy, &client, &question, &match, NULL, NULL);
    describe(policy, outcome, &match, decided, sizeof decided);
    ck_assert_msg(strcmp(decided, clients[_i].expected) == 0, "%s: %s", clients[_i].label, decided);
    policy_free(policy);
}
END_TEST

/* The order does not bind 192.0.2.64/26 and 2001:db8:77::/48. */
static const struct {
    const char *client;
    bool excepted;
} EXCEPTED[] = {
    {"192.0.2.64", true},
    {"192.0.2.63", false},
    {"192.0.2.64/27", true},
    {"192.0.2.0/24", true},
    {"192.0.2.0/26", false},
    {"192.0.3.0/24", false},
    {"192.0.2.0/23", true},
    {"2001:db8:77::/56", true},
    {"2001:db8::/32", true},
    {"2001:db8:78::/48", false},
    {"2002:c000:240::1", true},
    {"2002:c000:240::/56", true},
    {"2002:c000:200::/40", true},
    {"2002:c000:200::/42", false},
    {"2002:c000:300::/40", false},
    {"2002::/16", true},
    {"::/0", true},
};

START_TEST(who_may_be_excepted_is)
{
    const struct network networks[] = {client_network("192.0.2.64/26"),
                                       client_network("2001:db8:77::/48")};
    struct order *order = make_order("X", "a.test", NULL);
    order->except_networks = network_set_new(networks, 2);
    struct policy *policy = policy_over(&order, 1, 0);
    for (size_t i = 0; i < ROWS(EXCEPTED); i++) {
        const struct policy_client client = client_of(EXCEPTED[i].client);
        const struct dname qname = name_of("a.test");
        const struct policy_question question = {.qname = &qname, .qtype = TYPE_A, .now = 1000};
        struct policy_match match;
        enum policy_outcome outcome = policy_decide(policy, &client, &question, &match, NULL, NULL);
        ck_assert_msg((outcome == POLICY_PASS) == EXCEPTED[i].excepted, "%s", EXCEPTED[i].client);
    }
    policy_free(policy);
}
END_TEST

/* The order does not bind 192.0.2.64/26, and no network of IPv6. */
START_TEST(who_may_be_anybody_may_be_excepted_in_ipv4)
{
    static const struct {
        const char *client;
        bool excepted;
    } rows[] = {{"::/0", true},       {"::/1", true},      {"2000::/3", true}, {"2002::/15", true},
                {"2001::/16", false}, {"4000::/2", false}, {"0.0.0.0/0", true}};
    const struct network network = client_network("192.0.2.64/26");
    struct order *order = make_order("X", "a.test", NULL);
    order->except_networks = network_set_new(&network, 1);
    struct policy *policy = policy_over(&order, 1, 0);
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct policy_client client = client_of(rows[i].client);
        const struct dname qname = name_of("a.test");
        const struct policy_question question = {.qname = &qname, .qtype = TYPE_A, .now = 1000};
        struct policy_match match;
        enum policy_outcome outcome = policy_decide(policy, &client, &question, &match, NULL, NULL);
        ck_assert_msg((outcome == POLICY_PASS) == rows[i].excepted, "%s", rows[i].client);
    }
    policy_free(policy);
}
END_TEST

/* Who is blocked by his address competes as the root does: any name is longer, and of the two the
 * earlier order decides. */
static const struct {
    const char *root; /* ids of the two orders; that of the name is a-name */
    const char *client;
    const char *qname;
    const char *expected;
} roots[] = {
    {"b-root", "c-client", "a.test", "a-name"},
    {"b-root", "c-client", "b.test", "b-root"},
    {"c-root", "b-client", "a.test", "a-name"},
    {"c-root", "b-client", "b.test", "b-client"},
};

START_TEST(a_client_counts_as_the_root)
{
    struct order *orders[] = {
        make_order("a-name", "a.test", NULL), make_order(roots[_i].root, ".", NULL),
        make_order(roots[_i].client, "", ZONE "24.0.2.0.192.rpz-client-ip CNAME .\n")};
    const struct policy_client client = {.address = address_of("192.0.2.1"),
                                         .country = country_of("IT")};
    struct policy *policy = policy_over(orders, 3, 0);
    const struct dname qname = name_of(roots[_i].qname);
    const struct policy_question question = {.qname = &qname, .qtype = TYPE_A, .now = 1000};
    struct policy_match match;
    ck_assert_int_eq(policy_decide(policy, &client, &question, &match, NULL, NULL), POLICY_BLOCK);
    ck_assert_str_eq(policy_order(policy, match.order)->id, roots[_i].expected);
    policy_free(policy);
}
END_TEST

/* ---- Addresses in answers ---- */

/* The order blocks 203.0.113.0/25 and 2001:db8::/48 in answers and does not bind 198.51.100.0/24.
 */
static const struct {
    const char *label;
    const char *names;
    const char *zone; /* of one more list; NULL: none */
    const char *client;
    const char *qname;
    const char *answer;
    const char *expected;
} answers[] = {
    {"an address", "", NULL, "192.0.2.1", "any.example", "203.0.113.7",
     "answer 203.0.113.0/25 nodata"},
    {"an address of IPv6", "", NULL, "192.0.2.1", "any.example", "2001:db8::7",
     "answer 2001:db8::/48 nodata"},
    {"another address", "", NULL, "192.0.2.1", "any.example", "203.0.113.200", "pass"},
    {"the same in a 6to4 address", "", NULL, "192.0.2.1", "any.example", "2002:cb00:7107::1",
     "pass"},
    {"an excepted network", "", NULL, "198.51.100.1", "any.example", "203.0.113.7", "pass"},
    {"an exception", "!any.example", NULL, "192.0.2.1", "x.any.example", "203.0.113.7", "pass"},
    {"another exception", "!other.example", NULL, "192.0.2.1", "any.example", "203.0.113.7",
     "answer 203.0.113.0/25 nodata"},
    {"a name that passes", "", ZONE "any.example CNAME rpz-passthru.\n", "192.0.2.1", "any.example",
     "203.0.113.7", "pass"},
    {"a list's own rule", "", ZONE "32.7.113.0.203.rpz-ip CNAME rpz-drop.\n", "192.0.2.1",
     "any.example", "203.0.113.7", "answer 203.0.113.7/32 drop"},
    {"an address that passes", "", ZONE "32.7.113.0.203.rpz-ip CNAME rpz-passthru.\n", "192.0.2.1",
     "any.example", "203.0.113.7", "pass"},
    {"of equal networks what passes", "", ZONE "25.0.113.0.203.rpz-ip CNAME rpz-passthru.\n",
     "192.0.2.1", "any.example", "203.0.113.7", "pass"},
    {"of equal networks the order's own", "", ZONE "25.0.113.0.203.rpz-ip CNAME rpz-drop.\n",
     "192.0.2.1", "any.example", "203.0.113.7", "answer 203.0.113.0/25 nodata"},
};

static struct order *order_on_answers(const char *names, const char *zone)
{
    struct order *order = make_order("X", names, zone);
    const struct network_rule rules[] = {{{address_of("203.0.113.0"), 121}, 0},
                                         {{address_of("2001:db8::"), 48}, 0}};
    const struct network excepted = {address_of("198.51.100.0"), 120};
    order->action = ORDER_NXDOMAIN;
    order->answers = network_rules_new(rules, 2);
    order->except_networks = network_set_new(&excepted, 1);
    return order;
}

/* Nothing is said of what lies below the qname, so nxdomain is nodata. */
START_TEST(addresses_in_answers_are_blocked)
{
    char decided[128];
    struct order *order = order_on_answers(answers[_i].names, answers[_i].zone);
    struct policy *policy = policy_over(&order, 1, 0);
    const struct dname qname = name_of(answers[_i].qname);
    const struct address answer = address_of(answers[_i].answer);
    const struct policy_client client = {.address = address_of(answers[_i].client),
                                         .country = country_of("IT")};
    const struct policy_question question = {
        .qname = &qname, .qtype = TYPE_A, .now = 1000, .answer = &answer};
    struct policy_match match;
    enum policy_outcome outcome = policy_decide(policy, &client, &question, &match, NULL, NULL);
    describe(policy, outcome, &match, decided, sizeof decided);
    ck_assert_msg(strcmp(decided, answers[_i].expected) == 0, "%s: %s", answers[_i].label, decided);
    policy_free(policy);
}
END_TEST

/* The longest network decides between orders, then precedence; names do not matter here. */
START_TEST(the_longest_network_decides)
{
    struct order *orders[] = {
        make_order("a", "any.example", ZONE "24.0.113.0.203.rpz-ip CNAME .\n"),
        make_order("b", "", ZONE "25.0.113.0.203.rpz-ip CNAME .\n"),
        make_order("c", "", ZONE "25.0.113.0.203.rpz-ip CNAME .\n"),
    };
    const struct dname qname = name_of("any.example");
    const struct address answer = address_of("203.0.113.7");
    const struct policy_client client = {.address = address_of("192.0.2.1"),
                                         .country = country_of("IT")};
    const struct policy_question question = {
        .qname = &qname, .qtype = TYPE_A, .now = 1000, .answer = &answer};
    struct policy *policy = policy_over(orders, 3, 0);
    struct policy_match match;
    ck_assert_int_eq(policy_decide(policy, &client, &question, &match, NULL, NULL), POLICY_BLOCK);
    ck_assert_str_eq(policy_order(policy, match.order)->id, "b");
    policy_free(policy);
}
END_TEST

/* ---- Rules for UDP alone ---- */

/* b lets pass over a stream what it names, and no more than its own block of it: a stays. */
static const struct {
    const char *label;
    const char *qname;
    const char *alias; /* NULL: none */
    bool stream;
    const char *expected;
} udp_alone[] = {
    {"over UDP the longer name decides", "www.a.test", NULL, false, "name 3 tcp-only"},
    {"over a stream the other order does", "www.a.test", NULL, true, "name 2 refused"},
    {"over UDP", "b.test", NULL, false, "name 2 tcp-only"},
    {"over a stream nobody else", "b.test", NULL, true, "pass"},
    {"an alias over UDP", "any.example", "www.a.test", false, "name 3 tcp-only"},
    {"an alias over a stream", "any.example", "www.a.test", true, "name 2 refused"},
    {"an alias over a stream, nobody else", "any.example", "b.test", true, "pass"},
};

START_TEST(tcp_only_lets_pass_for_its_own_order)
{
    char decided[128];
    struct order *orders[] = {
        make_order("a", "a.test", NULL),
        make_order("b", "", ZONE "www.a.test CNAME rpz-tcp-only.\nb.test CNAME rpz-tcp-only.\n")};
    orders[0]->aliases = orders[1]->aliases = true;
    struct policy *policy = policy_over(orders, 2, 0);
    const struct dname qname = name_of(udp_alone[_i].qname);
    const struct dname alias = name_of(udp_alone[_i].alias == NULL ? "." : udp_alone[_i].alias);
    const struct policy_client client = {.address = address_of("192.0.2.1"),
                                         .country = country_of("IT")};
    const struct policy_question question = {.qname = &qname,
                                             .qtype = TYPE_A,
                                             .now = 1000,
                                             .stream = udp_alone[_i].stream,
                                             .alias = udp_alone[_i].alias == NULL ? NULL : &alias};
    struct policy_match match;
    enum policy_outcome outcome = policy_decide(policy, &client, &question, &match, NULL, NULL);
    describe(policy, outcome, &match, decided, sizeof decided);
    ck_assert_msg(strcmp(decided, udp_alone[_i].expected) == 0, "%s: %s", udp_alone[_i].label,
                  decided);
    policy_free(policy);
}
END_TEST

/* ---- Aliases ---- */

/* Of names, lists and any-tld ("pirate") of an order with `aliases`. */
static const struct {
    const char *label;
    const char *names;
    const char *list;
    const char *qname;
    uint16_t qtype;
    const char *alias;
    const char *expected;
} aliases[] = {
    {"a name", "a.test", NULL, "any.example", TYPE_A, "www.a.test", "name 2 nodata"},
    {"a listed name", "", "a.test\n", "any.example", TYPE_A, "a.test", "name 2 nodata"},
    {"a label", "", NULL, "any.example", TYPE_A, "cdn.pirate.to", "name 2 nodata"},
    {"another name", "a.test", NULL, "any.example", TYPE_A, "b.test", "pass"},
    {"the qname is not judged again", "a.test", NULL, "a.test", TYPE_A, "b.test", "pass"},
    {"the alias is excepted", "a.test !www.a.test", NULL, "any.example", TYPE_A, "www.a.test",
     "pass"},
    {"the qname is excepted", "a.test !any.example", NULL, "x.any.example", TYPE_A, "a.test",
     "pass"},
    {"the qname passes", "a.test", ZONE "any.example CNAME rpz-passthru.\n", "any.example", TYPE_A,
     "a.test", "pass"},
    {"the alias passes", "a.test", ZONE "a.test CNAME rpz-passthru.\n", "any.example", TYPE_A,
     "a.test", "pass"},
    {"clients are no aliases", "", ZONE "24.0.2.0.192.rpz-client-ip CNAME .\n", "any.example",
     TYPE_A, "a.test", "pass"},
    {"DS of an alias with free names below", "=a.test", NULL, "any.example", TYPE_DS, "a.test",
     "pass"},
};

START_TEST(aliases_are_blocked)
{
    char decided[128];
    struct order *order = make_order("X", aliases[_i].names, aliases[_i].list);
    order->action = ORDER_NXDOMAIN;
    order->aliases = true;
    order->any_tld = calloc(1, sizeof *order->any_tld);
    order->any_tld[order->any_tld_count++] = name_of("pirate");
    struct policy *policy = policy_over(&order, 1, 0);
    const struct dname qname = name_of(aliases[_i].qname);
    const struct dname alias = name_of(aliases[_i].alias);
    const struct policy_client client = {.address = address_of("192.0.2.1"),
                                         .country = country_of("IT")};
    const struct policy_question question = {
        .qname = &qname, .qtype = aliases[_i].qtype, .now = 1000, .alias = &alias};
    struct policy_match match;
    enum policy_outcome outcome = policy_decide(policy, &client, &question, &match, NULL, NULL);
    describe(policy, outcome, &match, decided, sizeof decided);
    ck_assert_msg(strcmp(decided, aliases[_i].expected) == 0, "%s: %s", aliases[_i].label, decided);
    policy_free(policy);
}
END_TEST

START_TEST(orders_without_aliases_do_not_look_at_them)
{
    struct order *order = make_order("X", "a.test", "a.test\n");
    struct policy *policy = policy_over(&order, 1, 0);
    const struct dname qname = name_of("any.example");
    const struct dname alias = name_of("a.test");
    const struct policy_client client = {.address = address_of("192.0.2.1"),
                                         .country = country_of("IT")};
    const struct policy_question question = {
        .qname = &qname, .qtype = TYPE_A, .now = 1000, .alias = &alias};
    struct policy_match match;
    ck_assert_int_eq(policy_decide(policy, &client, &question, &match, NULL, NULL), POLICY_PASS);
    policy_free(policy);
}
END_TEST

/* A rule's action takes the place of the order's, but a shadow stays one. */
START_TEST(rules_act_unless_the_order_is_a_shadow)
{
    static const struct {
        enum order_action order, rule, expected;
        bool free_below;
    } rows[] = {
        {ORDER_REFUSED, ORDER_DROP, ORDER_DROP, false},
        {ORDER_REFUSED, ORDER_NXDOMAIN, ORDER_NXDOMAIN, false},
        {ORDER_REFUSED, ORDER_NXDOMAIN, ORDER_NODATA, true},
        {ORDER_NXDOMAIN, ORDER_LOCAL, ORDER_LOCAL, true},
        {ORDER_SHADOW, ORDER_DROP, ORDER_SHADOW, false},
    };
    struct order *order = make_order("X", "a.test", NULL);
    struct policy *policy = policy_over(&order, 1, 0);
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct order_rule rule = {.action = rows[i].rule};
        const struct policy_match match = {.free_below = rows[i].free_below, .rule = &rule};
        order->action = rows[i].order;
        ck_assert_int_eq(policy_match_action(policy, &match), rows[i].expected);
    }
    policy_free(policy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy_networks");
    TCase *tcase = tcase_create("policy_networks");
    tcase_add_loop_test(tcase, clients_are_blocked_and_let_pass, 0, ROWS(clients));
    tcase_add_test(tcase, who_may_be_excepted_is);
    tcase_add_test(tcase, who_may_be_anybody_may_be_excepted_in_ipv4);
    tcase_add_loop_test(tcase, a_client_counts_as_the_root, 0, ROWS(roots));
    tcase_add_loop_test(tcase, addresses_in_answers_are_blocked, 0, ROWS(answers));
    tcase_add_test(tcase, the_longest_network_decides);
    tcase_add_loop_test(tcase, tcp_only_lets_pass_for_its_own_order, 0, ROWS(udp_alone));
    tcase_add_loop_test(tcase, aliases_are_blocked, 0, ROWS(aliases));
    tcase_add_test(tcase, orders_without_aliases_do_not_look_at_them);
    tcase_add_test(tcase, rules_act_unless_the_order_is_a_shadow);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
