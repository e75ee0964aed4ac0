/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Decisions: the rules one by one. Against the naive model they are held in check_policy_reading.c.
 */
#include "policy/policy.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/instant.h"
#include "policy/instant_offsets.h"
#include "test/policy_make.h"
#include "test/suite.h"

/* ---- One order, one rule ---- */

struct rule_row {
    const char *label;
    const char *names;
    const char *list;
    const char *qname;
    uint16_t qtype;
    const char *expected; /* "pass", or "block LABELS" with " exact" and " free" */
};

static const struct rule_row rules[] = {
    {"the name", "a.test", NULL, "a.test", TYPE_A, "block 2"},
    {"below it", "a.test", NULL, "www.a.test", TYPE_A, "block 2"},
    {"far below it", "a.test", NULL, "x.y.z.a.test", TYPE_ANY, "block 2"},
    {"case", "a.test", NULL, "WWW.A.Test", TYPE_A, "block 2"},
    {"above it", "a.test", NULL, "test", TYPE_A, "pass"},
    {"beside it", "a.test", NULL, "b.test", TYPE_A, "pass"},
    {"a longer label", "a.test", NULL, "aa.test", TYPE_A, "pass"},
    {"the longest of two", "a.test b.a.test", NULL, "x.b.a.test", TYPE_A, "block 3"},
    {"the root", ".", NULL, "a.test", TYPE_A, "block 0"},
    {"the root itself", ".", NULL, ".", TYPE_NS, "block 0"},

    {"exact", "=a.test", NULL, "a.test", TYPE_A, "block 2 exact free"},
    {"below exact", "=a.test", NULL, "www.a.test", TYPE_A, "pass"},
    {"DS of exact", "=a.test", NULL, "a.test", TYPE_DS, "pass"},
    {"DNSKEY of exact", "=a.test", NULL, "a.test", TYPE_DNSKEY, "pass"},
    {"exact and subtree at once", "a.test =a.test", NULL, "a.test", TYPE_A, "block 2"},
    {"exact within a subtree", "a.test =b.a.test", NULL, "b.a.test", TYPE_A, "block 3 exact"},
    {"below exact within a subtree", "a.test =b.a.test", NULL, "c.b.a.test", TYPE_A, "block 2"},
    {"DS of exact within a subtree", "a.test =b.a.test", NULL, "b.a.test", TYPE_DS,
     "block 3 exact"},

    {"except", "a.test !b.a.test", NULL, "b.a.test", TYPE_A, "pass"},
    {"below except", "a.test !b.a.test", NULL, "x.b.a.test", TYPE_A, "pass"},
    {"beside except", "a.test !b.a.test", NULL, "c.a.test", TYPE_A, "block 2"},
    {"above except", "a.test !b.a.test", NULL, "a.test", TYPE_A, "block 2 free"},
    {"DS above except", "a.test !b.a.test", NULL, "a.test", TYPE_DS, "pass"},
    {"DNSKEY above except", "a.test !b.a.test", NULL, "a.test", TYPE_DNSKEY, "pass"},
    {"NS above except", "a.test !b.a.test", NULL, "a.test", TYPE_NS, "block 2 free"},
    {"DS between", "a.test !c.b.a.test", NULL, "b.a.test", TYPE_DS, "pass"},
    {"DS beside except", "a.test !b.a.test", NULL, "c.a.test", TYPE_DS, "block 2"},
    {"except wins over a longer name", "a.test c.b.a.test !b.a.test", NULL, "c.b.a.test", TYPE_A,
     "pass"},
    {"except of the name itself", "a.test !a.test", NULL, "x.a.test", TYPE_A, "pass"},
    {"except of the root", "a.test !.", NULL, "a.test", TYPE_A, "pass"},
    {"except below the root", ". !a.test", NULL, ".", TYPE_DNSKEY, "pass"},
    {"except alone", "!a.test", NULL, "a.test", TYPE_A, "pass"},

    {"listed", "", "a.test\n", "www.a.test", TYPE_A, "block 2"},
    {"listed exactly", "", "=a.test\n", "a.test", TYPE_A, "block 2 exact free"},
    {"excepted in the list", "", "a.test\n!b.a.test\n", "b.a.test", TYPE_A, "pass"},
    {"above the list's exception", "", "a.test\n!b.a.test\n", "a.test", TYPE_A, "block 2 free"},
    {"DS above the list's exception", "", "a.test\n!b.a.test\n", "a.test", TYPE_DS, "pass"},
    {"the file excepts from the list", "!b.a.test", "a.test\n", "x.b.a.test", TYPE_A, "pass"},
    {"the list excepts from the file", "a.test", "!b.a.test\n", "x.b.a.test", TYPE_A, "pass"},
    {"the file frees the list's name", "!b.a.test", "a.test\n", "a.test", TYPE_A, "block 2 free"},
    {"the longer is in the list", "a.test", "b.a.test\n", "b.a.test", TYPE_A, "block 3"},
    {"the longer is in the file", "b.a.test", "a.test\n", "b.a.test", TYPE_A, "block 3"},
    {"in both", "a.test", "a.test\n", "a.test", TYPE_A, "block 2"},
    {"exact in the file, subtree in the list", "=a.test", "a.test\n", "a.test", TYPE_A, "block 2"},
    {"subtree in the file, exact in the list", "a.test", "=a.test\n", "a.test", TYPE_A, "block 2"},
    {"a wider list covers the exact name", "=b.a.test", "a.test\n", "b.a.test", TYPE_A,
     "block 3 exact"},

    {"a zone's name", "", ZONE "a.test CNAME .\n", "a.test", TYPE_A, "block 2 exact free"},
    {"below a zone's name", "", ZONE "a.test CNAME .\n", "x.a.test", TYPE_A, "pass"},
    {"a wildcard", "", ZONE "*.a.test CNAME .\n", "x.y.a.test", TYPE_A, "block 2 below"},
    {"DS below a wildcard", "", ZONE "*.a.test CNAME .\n", "x.a.test", TYPE_DS, "block 2 below"},
    {"above a wildcard", "", ZONE "*.a.test CNAME .\n", "a.test", TYPE_A, "pass"},
    {"a wildcard covers the exact name", "=a.test", ZONE "*.a.test CNAME .\n", "a.test", TYPE_A,
     "block 2 exact"},
    {"a name beside another rule for all below it", "", ZONE "a.test CNAME .\n*.a.test CNAME *.\n",
     "a.test", TYPE_A, "block 2 exact"},
    {"DS of it", "", ZONE "a.test CNAME .\n*.a.test CNAME *.\n", "a.test", TYPE_DS,
     "block 2 exact"},
    {"all below beside another rule for the name", "",
     ZONE "a.test CNAME .\n*.a.test A 192.0.2.99\n", "x.a.test", TYPE_A, "block 2 below"},
    {"a name beside all below it that passes", "",
     ZONE "a.test CNAME .\n*.a.test CNAME rpz-passthru.\n", "a.test", TYPE_A, "block 2 exact free"},
    {"all below that passes beside a name", "",
     ZONE "a.test CNAME .\n*.a.test CNAME rpz-passthru.\n", "x.a.test", TYPE_A, "pass"},
    {"what passes", "", ZONE "*.a.test CNAME .\nb.a.test CNAME rpz-passthru.\n", "b.a.test", TYPE_A,
     "pass"},
    {"below what passes", "", ZONE "*.a.test CNAME .\nb.a.test CNAME rpz-passthru.\n", "x.b.a.test",
     TYPE_A, "block 2 below"},
    {"above what passes", "a.test", ZONE "b.a.test CNAME rpz-passthru.\n", "a.test", TYPE_A,
     "block 2 free"},
    {"DS above what passes", "a.test", ZONE "b.a.test CNAME rpz-passthru.\n", "a.test", TYPE_DS,
     "pass"},
    {"all below passes", "a.test", ZONE "*.b.a.test CNAME rpz-passthru.\n", "x.b.a.test", TYPE_A,
     "pass"},
    {"all below passes, not itself", "a.test", ZONE "*.b.a.test CNAME rpz-passthru.\n", "b.a.test",
     TYPE_A, "block 2 free"},
    {"DS of it", "a.test", ZONE "*.b.a.test CNAME rpz-passthru.\n", "b.a.test", TYPE_DNSKEY,
     "pass"},
    {"a longer name than what passes", "a.test c.b.a.test", ZONE "*.b.a.test CNAME rpz-passthru.\n",
     "x.c.b.a.test", TYPE_A, "block 4"},
    {"what passes, of the same length", "b.a.test", ZONE "b.a.test CNAME rpz-passthru.\n",
     "b.a.test", TYPE_A, "pass"},
    {"an exact name in what passes", "=b.a.test a.test", ZONE "*.a.test CNAME rpz-passthru.\n",
     "b.a.test", TYPE_A, "block 3 exact free"},
    {"passes alone", "", ZONE "a.test CNAME rpz-passthru.\n", "a.test", TYPE_A, "pass"},
};

static void describe(enum policy_outcome outcome, const struct policy_match *match, char *out,
                     size_t size)
{
    switch (outcome) {
    case POLICY_PASS:
        snprintf(out, size, "pass");
        break;
    case POLICY_BLOCK:
        snprintf(out, size, "block %u%s%s%s", match->labels, match->exact ? " exact" : "",
                 match->below ? " below" : "", match->free_below ? " free" : "");
        break;
    }
}

START_TEST(follows_the_rules)
{
    const struct rule_row *row = &rules[_i];
    char decided[64];
    struct order *order = make_order("X", row->names, row->list);
    struct policy *policy = policy_over(&order, 1, 0);
    const struct dname qname = name_of(row->qname);
    const struct policy_client client = {.address = address_of("2.32.0.1"),
                                         .country = country_of("IT")};
    const struct policy_question question = {.qname = &qname, .qtype = row->qtype, .now = 1000};
    struct policy_match match;
    enum policy_outcome outcome = policy_decide(policy, &client, &question, &match, NULL, NULL);
    describe(outcome, &match, decided, sizeof decided);
    ck_assert_msg(strcmp(decided, row->expected) == 0, "%s: %s", row->label, decided);
    policy_free(policy);
}
END_TEST

/* ---- One order, its standing ---- */

struct standing_row {
    const char *label;
    const char *country; /* "" is unknown */
    const char *address;
    int64_t now;
    enum order_status status;
    enum order_action action;
    enum policy_binding expected;
};

/* In force from 100 to 200, for Italy and the unknown, but not for 192.0.2.0/24. */
static const struct standing_row standings[] = {
    {"binds", "IT", "2.32.0.1", 150, ORDER_ACTIVE, ORDER_REFUSED, POLICY_BINDS},
    {"first second", "IT", "2.32.0.1", 100, ORDER_ACTIVE, ORDER_REFUSED, POLICY_BINDS},
    {"second before", "IT", "2.32.0.1", 99, ORDER_ACTIVE, ORDER_REFUSED, POLICY_NOT_YET},
    {"last second", "IT", "2.32.0.1", 199, ORDER_ACTIVE, ORDER_REFUSED, POLICY_BINDS},
    {"end", "IT", "2.32.0.1", 200, ORDER_ACTIVE, ORDER_REFUSED, POLICY_ENDED},
    {"abroad", "FR", "2.32.0.1", 150, ORDER_ACTIVE, ORDER_REFUSED, POLICY_OTHER_COUNTRY},
    {"unknown", "", "2.32.0.1", 150, ORDER_ACTIVE, ORDER_REFUSED, POLICY_BINDS},
    {"excepted", "IT", "192.0.2.9", 150, ORDER_ACTIVE, ORDER_REFUSED, POLICY_EXCEPTED_NETWORK},
    {"excepted, by 6to4", "IT", "2002:c000:209::1", 150, ORDER_ACTIVE, ORDER_REFUSED,
     POLICY_EXCEPTED_NETWORK},
    {"6to4 of another", "IT", "2002:c000:309::1", 150, ORDER_ACTIVE, ORDER_REFUSED, POLICY_BINDS},
    {"suspended", "IT", "2.32.0.1", 150, ORDER_SUSPENDED, ORDER_REFUSED, POLICY_SUSPENDED},
    {"lifted", "IT", "2.32.0.1", 150, ORDER_LIFTED, ORDER_REFUSED, POLICY_LIFTED},
    {"shadow", "IT", "2.32.0.1", 150, ORDER_ACTIVE, ORDER_SHADOW, POLICY_SHADOWS},
    {"shadow abroad", "FR", "2.32.0.1", 150, ORDER_ACTIVE, ORDER_SHADOW, POLICY_OTHER_COUNTRY},
};

static bool in_force_for_client(enum policy_binding binding)
{
    return binding == POLICY_BINDS || binding == POLICY_SHADOWS ||
           binding == POLICY_EXCEPTED_NAME || binding == POLICY_LEFT_FREE;
}

START_TEST(judges_the_standing)
{
    const struct standing_row *row = &standings[_i];
    struct network network;
    char why[WHY_MAX];
    struct order *order = make_order("X", "a.test", NULL);
    ck_assert(network_parse("192.0.2.0/24", 12, &network, why, sizeof why));
    order->except_networks = network_set_new(&network, 1);
    order->scope.unknown = true;
    order->effective = 100;
    order->end = 200;
    order->status = row->status;
    order->action = row->action;
    struct policy *policy = policy_over(&order, 1, 0);
    const struct dname qname = name_of("a.test");
    const struct policy_client client = {.address = address_of(row->address),
                                         .country = country_of(row->country)};
    const struct policy_question question = {.qname = &qname, .qtype = TYPE_A, .now = row->now};
    struct policy_match match;
    struct notes notes = {0};

    bool blocks = row->expected == POLICY_BINDS;
    ck_assert_int_eq(policy_explain(policy, &client, &question, &match, take_note, &notes),
                     blocks ? POLICY_BLOCK : POLICY_PASS);
    ck_assert_uint_eq(notes.count, 1);
    ck_assert_msg(notes.match[0].binding == row->expected, "%s: %s", row->label,
                  policy_binding_text(notes.match[0].binding));

    notes.count = 0;
    ck_assert_int_eq(policy_decide(policy, &client, &question, &match, take_note, &notes),
                     blocks ? POLICY_BLOCK : POLICY_PASS);
    ck_assert_msg(notes.count == in_force_for_client(row->expected), "%s", row->label);
    policy_free(policy);
}
END_TEST

/* ---- Labels under any suffix ---- */

static const struct {
    const char *label;
    const char *names;
    const char *any_tld;
    const char *qname;
    const char *expected; /* "pass", or the trigger and labels */
} suffixes[] = {
    {"a TLD", "", "pirate", "pirate.to", "any-tld 2"},
    {"below it", "", "pirate", "www.pirate.to", "any-tld 2"},
    {"a TLD that nobody has", "", "pirate", "pirate.nonesuch", "any-tld 2"},
    {"a suffix of two labels", "", "pirate", "www.pirate.co.uk", "any-tld 3"},
    {"a private suffix", "", "pirate", "pirate.github.io", "any-tld 3"},
    {"a suffix by a wildcard of the list", "", "pirate", "pirate.foo.ck", "any-tld 3"},
    {"an exception of the list", "", "pirate", "pirate.www.ck", "pass"},
    {"case", "", "pirate", "WWW.Pirate.To", "any-tld 2"},
    {"a U-label", "",
     "b\xc3\xbc"
     "cher",
     "xn--bcher-kva.de", "any-tld 2"},
    {"another label", "", "pirate", "pirates.to", "pass"},
    {"not right before the suffix", "", "pirate", "pirate.example.to", "pass"},
    {"the label alone", "", "pirate", "pirate", "pass"},
    {"what is a suffix itself", "", "co", "www.co.uk", "pass"},
    {"the same label elsewhere", "", "co", "www.co.nonesuch", "any-tld 2"},
    {"a longer name", "www.pirate.to", "pirate", "x.www.pirate.to", "name 3"},
    {"the same name", "pirate.to", "pirate", "pirate.to", "name 2"},
    {"the same name alone", "=pirate.to", "pirate", "pirate.to", "any-tld 2"},
    {"an exception", "!pirate.to", "pirate", "www.pirate.to", "pass"},
    {"an exception below", "!fine.pirate.to", "pirate", "fine.pirate.to", "pass"},
    {"an exception above", "!to", "pirate", "pirate.to", "pass"},
};

static const char *const trigger_names[] = {
    [POLICY_NAME] = "name",
    [POLICY_ANY_TLD] = "any-tld",
    [POLICY_CLIENT] = "client",
    [POLICY_ANSWER] = "answer",
};

START_TEST(blocks_a_label_under_any_suffix)
{
    struct order *order = make_order("X", suffixes[_i].names, NULL);
    order->any_tld = calloc(1, sizeof *order->any_tld);
    order->any_tld[order->any_tld_count++] = name_of(suffixes[_i].any_tld);
    struct policy *policy = policy_over(&order, 1, 0);
    const struct dname qname = name_of(suffixes[_i].qname);
    const struct policy_client client = {.address = address_of("2.32.0.1"),
                                         .country = country_of("IT")};
    const struct policy_question question = {.qname = &qname, .qtype = TYPE_A, .now = 1000};
    struct policy_match match;
    char decided[64] = "pass";
    if (policy_decide(policy, &client, &question, &match, NULL, NULL) == POLICY_BLOCK) {
        snprintf(decided, sizeof decided, "%s %u", trigger_names[match.trigger], match.labels);
    }
    ck_assert_msg(strcmp(decided, suffixes[_i].expected) == 0, "%s: %s", suffixes[_i].label,
                  decided);
    policy_free(policy);
}
END_TEST

/* ---- Several orders ---- */

/* Which order decides, by id; "" is none. */
static const char *decider(struct policy *policy, const char *qname_text, uint16_t qtype)
{
    const struct dname qname = name_of(qname_text);
    const struct policy_client client = {.address = address_of("2.32.0.1"),
                                         .country = country_of("IT")};
    const struct policy_question question = {.qname = &qname, .qtype = qtype, .now = 1000};
    struct policy_match match;
    if (policy_decide(policy, &client, &question, &match, NULL, NULL) == POLICY_PASS) {
        return "";
    }
    return policy_order(policy, match.order)->id;
}

START_TEST(longest_name_then_date_then_id)
{
    struct order *orders[] = {
        make_order("d-late", "a.test", NULL),    make_order("c", "a.test b.a.test", NULL),
        make_order("b", "a.test", "c.a.test\n"), make_order("a-late", "", "c.a.test\n"),
        make_order("B", "d.a.test", NULL),
    };
    orders[0]->effective = 500;
    orders[1]->effective = 400;
    orders[2]->effective = 400;
    orders[3]->effective = 500;
    struct policy *policy = policy_over(orders, 5, 0);
    ck_assert_str_eq(decider(policy, "a.test", TYPE_A), "b");
    ck_assert_str_eq(decider(policy, "b.a.test", TYPE_A), "c");
    ck_assert_str_eq(decider(policy, "c.a.test", TYPE_A), "b");
    ck_assert_str_eq(decider(policy, "d.a.test", TYPE_A), "B");
    ck_assert_str_eq(policy_order(policy, 0)->id, "B");
    ck_assert_str_eq(policy_order(policy, 4)->id, "d-late");
    ck_assert_uint_eq(policy_order_count(policy), 5);
    policy_free(policy);
}
END_TEST

/* An exception removes its own order alone; DS passes one order and not the next. */
START_TEST(another_order_still_binds)
{
    struct order *orders[] = {make_order("narrow", "b.a.test !c.b.a.test", NULL),
                              make_order("wide", "a.test", NULL)};
    struct policy *policy = policy_over(orders, 2, 0);
    ck_assert_str_eq(decider(policy, "b.a.test", TYPE_A), "narrow");
    ck_assert_str_eq(decider(policy, "c.b.a.test", TYPE_A), "wide");
    ck_assert_str_eq(decider(policy, "b.a.test", TYPE_DS), "wide");
    policy_free(policy);
}
END_TEST

/* A shadow order is told of once and never decides, however long its name. */
START_TEST(shadows_are_only_counted)
{
    struct order *orders[] = {make_order("shadow", "a.test b.a.test", "b.a.test\n"),
                              make_order("wide", "test", NULL)};
    orders[0]->action = ORDER_SHADOW;
    struct policy *policy = policy_over(orders, 2, 0);
    const struct dname qname = name_of("x.b.a.test");
    const struct policy_client client = {.address = address_of("2.32.0.1"),
                                         .country = country_of("IT")};
    const struct policy_question question = {.qname = &qname, .qtype = TYPE_A, .now = 1000};
    struct policy_match match;
    struct notes notes = {0};
    ck_assert_int_eq(policy_decide(policy, &client, &question, &match, take_note, &notes),
                     POLICY_BLOCK);
    ck_assert_str_eq(policy_order(policy, match.order)->id, "wide");
    ck_assert_uint_eq(notes.count, 2);
    ck_assert_int_eq(notes.match[0].binding, POLICY_SHADOWS);
    ck_assert_uint_eq(notes.match[0].labels, 3);
    ck_assert_int_eq(notes.match[1].binding, POLICY_BINDS);
    policy_free(policy);
}
END_TEST

START_TEST(knows_where_shadows_are)
{
    struct order *orders[] = {make_order("shadow", "a.test", NULL),
                              make_order("binds", "b.test", NULL)};
    orders[0]->action = ORDER_SHADOW;
    orders[0]->end = 200;
    country_set_add(&orders[1]->scope.countries, country_of("FR"));
    struct policy *policy = policy_over(orders, 2, 0);
    ck_assert(policy_has_shadows(policy, country_of("IT"), 199));
    ck_assert(!policy_has_shadows(policy, country_of("IT"), 200));
    ck_assert(!policy_has_shadows(policy, country_of("FR"), 199));
    ck_assert(!policy_has_shadows(policy, COUNTRY_UNKNOWN, 199));
    policy_free(policy);
}
END_TEST

START_TEST(nxdomain_becomes_nodata_where_names_are_free)
{
    struct order *order = make_order("X", "a.test !b.a.test", NULL);
    order->action = ORDER_NXDOMAIN;
    struct policy *policy = policy_over(&order, 1, 0);
    struct policy_match match = {.free_below = true};
    ck_assert_int_eq(policy_match_action(policy, &match), ORDER_NODATA);
    match.free_below = false;
    ck_assert_int_eq(policy_match_action(policy, &match), ORDER_NXDOMAIN);
    order->action = ORDER_REFUSED;
    match.free_below = true;
    ck_assert_int_eq(policy_match_action(policy, &match), ORDER_REFUSED);
    policy_free(policy);
}
END_TEST

START_TEST(holds_nothing)
{
    struct policy *policy = policy_new(NULL, 0, SEED, 0);
    ck_assert_ptr_nonnull(policy);
    ck_assert_uint_eq(policy_order_count(policy), 0);
    ck_assert_uint_eq(policy_names(policy), 0);
    ck_assert_int_eq(policy_next_change(policy, 0), ORDER_FOR_GOOD);
    ck_assert(!policy_in_scope(policy, &(struct place){.country = country_of("IT")}, 0));
    ck_assert(!policy_in_scope(policy, &(struct place){.country = COUNTRY_UNKNOWN}, 0));
    ck_assert_str_eq(decider(policy, "a.test", TYPE_A), "");
    policy_free(policy);
    policy_free(NULL);
}
END_TEST

START_TEST(knows_who_is_in_force)
{
    struct order *order = make_order("X", "a.test", NULL);
    ck_assert(policy_order_in_force(order, 0));
    order->effective = 100;
    order->end = 200;
    ck_assert(!policy_order_in_force(order, 99));
    ck_assert(policy_order_in_force(order, 100));
    ck_assert(!policy_order_in_force(order, 200));
    order->status = ORDER_LIFTED;
    ck_assert(!policy_order_in_force(order, 150));
    order_unref(order);
}
END_TEST

/* By the clocks of UTC, on the first Thursday of 1970: outside its windows an order is not in
 * force, though it neither begins nor ends then. */
START_TEST(windows_open_and_close)
{
    char why[WHY_MAX];
    struct instant_zone *utc = instant_zone_open("Etc/UTC", why);
    struct order *order = make_order("X", "a.test", NULL);
    ck_assert_msg(utc != NULL, "%s", why);
    order->offsets = instant_offsets_new(utc);
    instant_zone_close(utc);
    order->windows = calloc(1, sizeof *order->windows);
    order->windows[order->window_count++] =
        (struct order_window){.days = 8, .from_s = 100, .to_s = 200};
    order->end = 1000;
    struct policy *policy = policy_over(&order, 1, 0);
    const struct dname qname = name_of("a.test");
    const struct policy_client client = {.address = address_of("2.32.0.1"),
                                         .country = country_of("IT")};
    static const struct {
        int64_t now;
        enum policy_binding expected;
        int64_t end; /* of the match */
    } rows[] = {{99, POLICY_OUTSIDE_WINDOW, 1000},
                {100, POLICY_BINDS, 200},
                {199, POLICY_BINDS, 200},
                {200, POLICY_OUTSIDE_WINDOW, 1000}};
    for (size_t i = 0; i < ROWS(rows); i++) {
        const struct policy_question question = {
            .qname = &qname, .qtype = TYPE_A, .now = rows[i].now};
        struct policy_match match;
        struct notes notes = {0};
        policy_explain(policy, &client, &question, &match, take_note, &notes);
        ck_assert_uint_eq(notes.count, 1);
        ck_assert_int_eq(notes.match[0].binding, rows[i].expected);
        ck_assert_int_eq(notes.match[0].end, rows[i].end);
        ck_assert(policy_order_in_force(order, rows[i].now) == (rows[i].expected == POLICY_BINDS));
        ck_assert(
            policy_in_scope(policy, &(struct place){.country = country_of("IT")}, rows[i].now));
    }
    ck_assert_int_eq(policy_next_change(policy, 99), 1000);
    policy_free(policy);
}
END_TEST

/* A thousand orders that each name every suffix of a long name: read, but not a thousand times a
 * thousand. */
START_TEST(bears_many_orders_of_one_name)
{
    enum {
        ORDERS = 1000,
        LABELS = 30
    };
    static struct order *orders[ORDERS];
    static char names[LABELS * LABELS * 2 + LABELS];
    char suffix[LABELS * 2 + 8] = "test";
    for (int i = 0; i < LABELS; i++) {
        char longer[sizeof suffix];
        snprintf(longer, sizeof longer, "a.%.*s", (int)(sizeof longer - 3), suffix);
        memcpy(suffix, longer, sizeof suffix);
        strcat(strcat(names, suffix), " ");
    }
    for (int i = 0; i < ORDERS; i++) {
        char id[16];
        snprintf(id, sizeof id, "%04d", i);
        orders[i] = make_order(id, names, NULL);
    }
    struct policy *policy = policy_over(orders, ORDERS, 0);
    for (int i = 0; i < 20; i++) {
        ck_assert_str_eq(decider(policy, suffix, TYPE_A), "0000");
    }
    policy_free(policy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy");
    TCase *tcase = tcase_create("policy");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, follows_the_rules, 0, ROWS(rules));
    tcase_add_loop_test(tcase, judges_the_standing, 0, ROWS(standings));
    tcase_add_loop_test(tcase, blocks_a_label_under_any_suffix, 0, ROWS(suffixes));
    tcase_add_test(tcase, longest_name_then_date_then_id);
    tcase_add_test(tcase, another_order_still_binds);
    tcase_add_test(tcase, shadows_are_only_counted);
    tcase_add_test(tcase, knows_where_shadows_are);
    tcase_add_test(tcase, nxdomain_becomes_nodata_where_names_are_free);
    tcase_add_test(tcase, holds_nothing);
    tcase_add_test(tcase, knows_who_is_in_force);
    tcase_add_test(tcase, windows_open_and_close);
    tcase_add_test(tcase, bears_many_orders_of_one_name);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
